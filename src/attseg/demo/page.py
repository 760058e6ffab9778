"""The page of the demo: one HTML file with everything in it."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from io import BytesIO
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import Image

from attseg.data.classes import IGNORE, ClassTable, Color
from attseg.data.paint import colorize
from attseg.data.sample import Array, Sample
from attseg.explain.views import View
from attseg.recipes.recipe import Recipe

MARK = '<meta name="generator" content="attseg demo">'
"""Marker of the demo's page."""

LEVEL = 0.5
"""Points of mIoU below which a difference is not called one."""

PROBES = {
    "context": "Cars and boats under tarpaulins that look the same. Only the far side of the scene, a town or the sea, decides.",
    "scale": "Buses of four pixels up to nearly the whole picture, and near houses whose walls look like the side of a bus.",
    "boundary": "Lamps and wires, one to three pixels wide, and the three pixels on either side of every border.",
}

COLORS = ("first", "second")
"""Names of the colours of the two networks in the page's style."""

MARKS: Mapping[str, Color] = {
    "both are right, or there is no label": (222, 221, 217),
    "only PAN is right": (0, 114, 178),
    "only FCN is right": (224, 118, 40),
    "both are wrong": (60, 60, 64),
}
"""Colours of the picture of who is right."""


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two networks.

    Args:
        name: Of its run folder.
        recipe: What it was trained by.
        seconds: That its training took.
        parameters: How many it has.
        multiply_adds: That one scene takes.
        report: The content of its ``report.json``.
    """

    name: str
    recipe: Recipe
    seconds: float
    parameters: int
    multiply_adds: int
    report: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Look:
    """One scene as both networks see it.

    Args:
        sample: The scene.
        predictions: Labels (H, W) of either network.
        spatial: Where PAN's feature pyramid attention lies.
    """

    sample: Sample
    predictions: tuple[Array, Array]
    spatial: View


def build_page(
    sides: Sequence[Side],
    looks: Sequence[Look],
    gates: Sequence[View],
    classes: ClassTable,
    *,
    out: Path,
    machine: str,
) -> str:
    """The page as HTML.

    Args:
        sides: PAN and the network without attention.
        looks: Scenes to show.
        gates: Weights of the channels in PAN's decoder for the first of them, coarsest step first.
        classes: Names and colours.
        out: Folder of the demo, for the commands.
        machine: What they ran on.
    """
    recipe, run = sides[0].recipe, str(out / sides[0].name)
    height, width = recipe.crop_size
    plain = {
        "headline": _headline(sides),
        "first_seconds": round(sides[0].seconds),
        "second_seconds": round(sides[1].seconds),
        "encoder": recipe.model.args["encoder"],
        "height": height,
        "width": width,
        "batch": recipe.batch_size,
        "seed": recipe.seed,
        "machine": machine,
        "pan": shlex.quote(run),
        "pan_text": repr(run),
    }
    template = Template((resources.files("attseg.demo") / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        {name: escape(str(value)) for name, value in plain.items()},
        scores="".join(map(_score, sides, COLORS, ("with attention", "without attention"))),
        widest=_widest(sides),
        probes=_probes(sides),
        scenes="".join(_scene(look, classes) for look in looks),
        legend=_legend(zip(classes.names, classes.colors, strict=True)),
        marks=_legend(MARKS.items()),
        gates="".join(_figure(view.picture, f"step {step}") for step, view in enumerate(gates, 1)),
        classes=_classes(sides, classes),
        facts=_facts(sides),
    )


def _headline(sides: Sequence[Side]) -> str:
    first, second = (100 * side.report["miou"] for side in sides)
    points = abs(first - second)
    if points < LEVEL:
        return "After a short training: level, with and without attention"
    better = "with" if first > second else "without"
    return f"After a short training: {points:.1f}\N{NO-BREAK SPACE}points better {better} attention"


def _score(side: Side, color: str, what: str) -> str:
    return (
        f'<div class="card score {color}"><h3>{escape(side.recipe.model.name)}</h3>'
        f'<div class="number">{_percent(side.report["miou"])}<small> % mIoU</small></div>'
        f"<p>{what}; {_percent(side.report['pixel_accuracy'])} % of the pixels are right</p></div>"
    )


def _widest(sides: Sequence[Side]) -> str:
    """On which probe they differ most, in a sentence."""
    first, second = (side.report["probes"] for side in sides)
    gaps = {name: 100 * (first[name]["miou"] - second[name]["miou"]) for name in PROBES}
    name = max(gaps, key=lambda name: abs(gaps[name]))
    ahead = sides[0 if gaps[name] > 0 else 1].recipe.model.name
    return f"The widest gap is that on {name}: {abs(gaps[name]):.1f} points, for {escape(ahead)}."


def _probes(sides: Sequence[Side]) -> str:
    everything = f"The whole of the {sides[0].report['pictures']} scenes of the validation split."
    rows = [("all pixels", everything, [side.report for side in sides])]
    rows += [(name, text, [side.report["probes"][name] for side in sides]) for name, text in PROBES.items()]
    return "".join(
        f'<div class="probe"><div><h3>{name}</h3><p>{text}</p></div>'
        f"<div>{''.join(map(_bar, sides, COLORS, scores))}</div></div>"
        for name, text, scores in rows
    )


def _bar(side: Side, color: str, scores: Mapping[str, Any]) -> str:
    return (
        f'<div class="bar {color}"><span>{escape(side.recipe.model.name)}</span>'
        f'<span class="track"><i style="width:{_percent(scores["miou"])}%"></i></span>'
        f'<span class="value">{_percent(scores["miou"])}</span></div>'
    )


def _scene(look: Look, classes: ClassTable) -> str:
    sample, (first, second) = look.sample, look.predictions
    tiles = [
        _figure(Image.fromarray(sample.image), "picture"),
        _figure(_painted(sample.labels, classes), "labels", exact=True),
        _figure(look.spatial.picture, f"FPA, {look.spatial.low:.2f} to {look.spatial.high:.2f}"),
        _figure(_painted(first, classes), "PAN", color="first", exact=True),
        _figure(_painted(second, classes), "FCN", color="second", exact=True),
        _figure(Image.fromarray(_difference(sample.labels, first, second)), "who is right", exact=True),
    ]
    return f'<div class="card scene"><div class="tiles">{"".join(tiles)}</div></div>'


def _difference(labels: Array, first: Array, second: Array) -> Array:
    """(H, W, 3) Which of two predictions is right; what has no label is left light."""
    colors = np.array(list(MARKS.values()), np.uint8)
    wrong = (second != labels) + 2 * (first != labels)
    return colors[np.where(labels == IGNORE, 0, wrong)]


def _classes(sides: Sequence[Side], classes: ClassTable) -> str:
    rows = []
    for name, color in zip(classes.names, classes.colors, strict=True):
        cells = "".join(f"<td>{_percent(side.report['per_class'][name])}</td>" for side in sides)
        rows.append(f"<tr><th>{_swatch(color)}{escape(name)}</th>{cells}</tr>")
    return "".join(rows)


def _facts(sides: Sequence[Side]) -> str:
    rows = {
        "parameters": [f"{side.parameters / 1e6:.2f} M" for side in sides],
        "multiply-adds a scene": [f"{side.multiply_adds / 1e9:.3f} G" for side in sides],
        "decoder channels": [f"{side.recipe.model.args['channels']}" for side in sides],
        "training": [f"{side.seconds:.1f} s" for side in sides],
        "steps": [f"{side.recipe.steps}" for side in sides],
        "scenes seen": [f"{side.recipe.steps * side.recipe.batch_size}" for side in sides],
        "scenes a second": [f"{side.recipe.steps * side.recipe.batch_size / side.seconds:.1f}" for side in sides],
    }
    return "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{value}</td>' for value in values)}</tr>" for name, values in rows.items()
    )


def _painted(labels: Array, classes: ClassTable) -> Image.Image:
    return Image.fromarray(colorize(labels, classes))


def _figure(picture: Image.Image, caption: str, *, color: str = "", exact: bool = False) -> str:
    """A picture with its caption; ``exact`` keeps the pixels square."""
    kind, text = "exact" if exact else "smooth", escape(caption)
    return (
        f'<figure><img class="{kind}" src="{_data_uri(picture)}" width="{picture.width}" height="{picture.height}" alt="{text}">'
        f'<figcaption class="{color}">{text}</figcaption></figure>'
    )


def _data_uri(picture: Image.Image) -> str:
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _legend(entries: Iterable[tuple[str, Color]]) -> str:
    return "".join(f"<li>{_swatch(color)}{escape(name)}</li>" for name, color in entries)


def _swatch(color: Color) -> str:
    red, green, blue = color
    return f'<span class="swatch" style="background:rgb({red},{green},{blue})"></span>'


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
