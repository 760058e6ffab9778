"""The page of the demo: one HTML file with everything in it."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from attseg.data.classes import IGNORE, ClassTable, Color
from attseg.data.paint import colorize
from attseg.data.sample import Array, Sample
from attseg.explain.views import View
from attseg.recipes.recipe import Recipe
from attseg.templates import render_html

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
class TrainedNetwork:
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


class Tile(NamedTuple):
    """An image with its caption.

    Args:
        caption: Below it, and read out in its place.
        image: The image.
        color: Of the caption, one of ``COLORS``.
        exact: Whether its pixels stay square where it is enlarged.
    """

    caption: str
    image: Image.Image
    color: str = ""
    exact: bool = False

    @property
    def uri(self) -> str:
        """The image as a PNG within the page."""
        buffer = BytesIO()
        self.image.save(buffer, "PNG", optimize=True)
        return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def build_page(
    sides: Sequence[TrainedNetwork],
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
    return render_html(
        "attseg.demo",
        "page.html",
        style=page_style(),
        verdict=_verdict(sides),
        widest=_widest(sides),
        sides=[*zip(sides, COLORS, ("with attention", "without attention"), strict=True)],
        probes=_probes(sides),
        scenes=[_scene(look, classes) for look in looks],
        gates=[Tile(f"step {step}", view.picture) for step, view in enumerate(gates, 1)],
        marks=MARKS.items(),
        classes=[*zip(classes.names, classes.colors, strict=True)],
        facts=_facts(sides),
        recipe=recipe,
        height=height,
        width=width,
        machine=machine,
        run=run,
        runs_quoted=[shlex.quote(str(out / side.name)) for side in sides],
    )


def page_style() -> str:
    """The style of both pages."""
    return (resources.files("attseg.demo") / "page.css").read_text(encoding="utf-8")


def _verdict(sides: Sequence[TrainedNetwork]) -> str:
    """Which of them is ahead in mIoU, and by how much, in a sentence."""
    first, second = (100 * side.report["miou"] for side in sides)
    points = abs(first - second)
    if points < LEVEL:
        return f"This time they are level: {points:.1f} points of mIoU apart."
    ahead = sides[0 if first > second else 1].recipe.model.name
    return f"This time {ahead} is ahead by {points:.1f} points of mIoU."


def _widest(sides: Sequence[TrainedNetwork]) -> str:
    """On which probe they differ most, in a sentence."""
    first, second = (side.report["probes"] for side in sides)
    gaps = {name: 100 * (first[name]["miou"] - second[name]["miou"]) for name in PROBES}
    name = max(gaps, key=lambda name: abs(gaps[name]))
    ahead = sides[0 if gaps[name] > 0 else 1].recipe.model.name
    return f"The widest gap is that on {name}: {abs(gaps[name]):.1f} points, for {ahead}."


def _probes(sides: Sequence[TrainedNetwork]) -> list[tuple[str, str, list[float]]]:
    """Name, explanation and mIoU of both, of all pixels and of those of each difficulty."""
    everything = f"The whole of the {sides[0].report['pictures']} scenes of the validation split."
    rows = [("all pixels", everything, [side.report["miou"] for side in sides])]
    for name, text in PROBES.items():
        rows.append((name, text, [side.report["probes"][name]["miou"] for side in sides]))
    return rows


def _scene(look: Look, classes: ClassTable) -> list[Tile]:
    sample, (first, second) = look.sample, look.predictions
    return [
        Tile("picture", Image.fromarray(sample.image)),
        Tile("labels", _painted(sample.labels, classes), exact=True),
        Tile(f"FPA, {look.spatial.low:.2f} to {look.spatial.high:.2f}", look.spatial.picture),
        Tile("PAN", _painted(first, classes), "first", exact=True),
        Tile("FCN", _painted(second, classes), "second", exact=True),
        Tile("who is right", Image.fromarray(_difference(sample.labels, first, second)), exact=True),
    ]


def _difference(labels: Array, first: Array, second: Array) -> Array:
    """(H, W, 3) Which of two predictions is right; what has no label is left light."""
    colors = np.array(list(MARKS.values()), np.uint8)
    wrong = (second != labels) + 2 * (first != labels)
    return colors[np.where(labels == IGNORE, 0, wrong)]


def _facts(sides: Sequence[TrainedNetwork]) -> dict[str, list[str]]:
    return {
        "parameters": [f"{side.parameters / 1e6:.2f} M" for side in sides],
        "multiply-adds a scene": [f"{side.multiply_adds / 1e9:.3f} G" for side in sides],
        "decoder channels": [f"{side.recipe.model.args['channels']}" for side in sides],
        "training": [f"{side.seconds:.1f} s" for side in sides],
        "steps": [f"{side.recipe.steps}" for side in sides],
        "scenes seen": [f"{side.recipe.steps * side.recipe.batch_size}" for side in sides],
        "scenes a second": [f"{side.recipe.steps * side.recipe.batch_size / side.seconds:.1f}" for side in sides],
    }


def _painted(labels: Array, classes: ClassTable) -> Image.Image:
    return Image.fromarray(colorize(labels, classes))
