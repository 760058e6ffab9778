"""The demo on a folder of one's own: suggest, train from pretrained weights, measure, and write a page of what came out."""

from __future__ import annotations

import shlex
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from attseg.data.catalog import open_data
from attseg.data.classes import IGNORE, ClassTable, Color
from attseg.data.paint import colorize
from attseg.data.reading.image import read_image
from attseg.data.sample import Array, Sample
from attseg.demo.page import MARK, Tile, page_style
from attseg.demo.run import SHOWN, describe_machine, workplace
from attseg.errors import UsageError
from attseg.explain.capture import capture
from attseg.explain.views import draw_map
from attseg.files import replacing
from attseg.inference.segmenter import Segmenter, load
from attseg.json_files import read_json
from attseg.recipes.recipe import DataSpec, Recipe
from attseg.runs.folder import RunFolder
from attseg.suggest.job import Suggestion, suggest
from attseg.templates import render_html
from attseg.training.run import train

FINISH = 10.0
"""Seconds kept free for the pictures and the page."""

TIMED = 0.05
"""Share of the time in which steps are timed."""

RED: Color = (214, 39, 40)
RIGHT: Color = (222, 221, 217)


def run_own_demo(
    data: DataSpec, out: Path, *, minutes: float = 5.0, seed: int = 0, console: Console | None = None
) -> Path:
    """Train on a folder for a given time, from pretrained weights where these are to be had, and write a page about it.

    The network is what ``suggest`` chooses.

    Args:
        data: The folder.
        out: Folder for ``index.html`` and the run ``own``; an earlier demo in it is replaced when this one is done.
        minutes: About how long all of it takes.
        seed: Of weights, order and augmentation.
        console: Where to say what happens; None says nothing.

    Returns:
        Path of the page.

    Raises:
        UsageError: The output folder holds something else, there is no time, or there are too few pictures.
        DataError: The folder cannot be read as it is.
        Interrupted: Ctrl-C or SIGTERM came; what the output folder held before is still there.
    """
    if not minutes > 0:
        raise UsageError(f"the demo was given {minutes} minutes; more than 0 was expected")
    end = time.monotonic() + 60 * minutes
    console = console or Console(quiet=True)
    with workplace(out) as place:
        console.print("looking at the pictures, and timing this computer", highlight=False)
        found = suggest(data, minutes=None, seconds=60 * TIMED * minutes)
        left = end - time.monotonic() - FINISH
        found = found.within(max(left, 60 * minutes / 4) / 60)
        recipe = replace(found.recipe, name="demo-own", seed=seed)
        for line in (*found.why, *found.notes):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        train(recipe, found.machine, out=place / "own", console=console)
        html = _page(found, recipe, place / "own", out)
        with suppress(FileNotFoundError):
            shutil.rmtree(out / "own")
        (place / "own").rename(out / "own")
        with replacing(out / "index.html") as file:
            file.write(html.encode())
    page = out / "index.html"
    console.print(f"done; open {page}", markup=False, highlight=False, soft_wrap=True)
    return page


def _page(found: Suggestion, recipe: Recipe, place: Path, out: Path) -> str:
    spec, run = recipe.data, str(out / "own")
    val = open_data(spec.name, spec.val, root=spec.root, **spec.options)
    segment = load(place)
    looks: list[tuple[str, list[Tile]]] = []
    gates: list[Tile] = []
    for index in np.unique(np.linspace(0, len(val) - 1, SHOWN).round().astype(int)).tolist():
        sample = val[index]
        tiles, bars = _look(segment, sample, val.classes)
        looks.append((sample.name, tiles))
        gates = gates or bars
    folder = RunFolder(place)
    height, width = recipe.crop_size
    return render_html(
        "attseg.demo",
        "own.html",
        style=page_style(),
        mark=MARK,
        report=read_json(folder.report),
        model=f"{recipe.model.name} on {recipe.model.args['encoder']}",
        steps=recipe.steps,
        batch=recipe.batch_size,
        height=height,
        width=width,
        train=found.data.train,
        root=spec.root,
        root_quoted=shlex.quote(str(spec.root)),
        run_quoted=shlex.quote(run),
        began="The encoder began with pretrained weights"
        if recipe.model.args.get("pretrained")
        else "The network began with random weights, since no pretrained ones were to be had",
        notes=found.notes,
        looks=looks,
        gates=gates,
        curves=Tile("loss, learning rate and mIoU", Image.fromarray(read_image(folder.curves))),
        classes=[*zip(val.classes.names, val.classes.colors, strict=True)],
        machine=describe_machine(),
    )


def _look(segment: Segmenter, sample: Sample, classes: ClassTable) -> tuple[list[Tile], list[Tile]]:
    """The tiles of a picture, and the gates of the decoder."""
    with capture(segment.model) as maps:
        labels = segment(sample.image).labels
    gates = [draw_map(each, sample.image).picture for each in maps if each.kind == "channel"]
    tiles = [
        Tile("picture", Image.fromarray(sample.image)),
        Tile("labels", Image.fromarray(colorize(sample.labels, classes)), exact=True),
        Tile("prediction", Image.fromarray(colorize(labels, classes)), exact=True),
        Tile("errors", Image.fromarray(draw_errors(sample.labels, labels)), exact=True),
    ]
    return tiles, [Tile(f"step {step}", bars) for step, bars in enumerate(gates, 1)]


def draw_errors(labels: Array, prediction: Array) -> Array:
    """(H, W, 3) Red where a prediction is not the label; what has no label is as light as what is right."""
    wrong = (prediction != labels) & (labels != IGNORE)
    return np.array((RIGHT, RED), np.uint8)[wrong.astype(int)]
