"""The demo: train with and without attention for the same time, measure both, and write a page that shows what came out."""

from __future__ import annotations

import csv
import json
import os
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console
from torch.utils.flop_counter import FlopCounterMode

from attseg.data.sets.scenes import SCENES, Scenes
from attseg.demo.page import MARK, Look, TrainedNetwork, build_page
from attseg.errors import UsageError
from attseg.explain.capture import capture
from attseg.explain.views import View, draw_map
from attseg.files import making, open_file, read_bytes, replacing
from attseg.inference.segmenter import load
from attseg.models import build_model
from attseg.recipes import find_recipe
from attseg.recipes.recipe import DataSpec, Machine, ModelSpec, Recipe
from attseg.runs.errors import Interrupted
from attseg.training.run import train

SIZE = (128, 320)
"""Height and width of the scenes: so wide that a network without attention does not see the far side, which decides."""

SHOWN = 4
"""Scenes on the page."""

PACE_STEPS = 16
"""Steps that are timed before the schedule is laid out."""

FINISH = 10.0
"""Seconds kept free for each network to be evaluated and drawn."""

UNFINISHED = ".unfinished"


def run_demo(out: Path, *, minutes: float = 2.0, seed: int = 0, console: Console | None = None) -> Path:
    """Train PAN, and a network without attention at the same cost, for the same time; write a page about both.

    Args:
        out: Folder for ``index.html`` and the runs ``pan`` and ``fcn``; an earlier demo in it is replaced when this one is done.
        minutes: About how long all of it takes.
        seed: Of weights, order and augmentation.
        console: Where to say what happens; None says nothing.

    Returns:
        Path of the page.

    Raises:
        UsageError: The folder holds something else, or there is no time.
        Interrupted: Ctrl-C or SIGTERM came; what the folder held before is still there.
    """
    if not minutes > 0:
        raise UsageError(f"the demo was given {minutes} minutes; more than 0 was expected")
    end = time.monotonic() + 60 * minutes
    console = console or Console(quiet=True)
    with workplace(out) as place:
        console.print("finding out how fast this machine trains", highlight=False)
        pan = pan_recipe(seed)
        recipes = {"pan": pan, "fcn": without_attention(pan)}
        paces = {name: _pace(recipe, place / f"{name}-pace") for name, recipe in recipes.items()}
        seconds = max((end - time.monotonic()) / 2 - FINISH, 60 * minutes / 4)
        sides = [
            _trained(name, _timed(recipe, seconds, paces[name]), place / name, console)
            for name, recipe in recipes.items()
        ]
        looks, gates = _look(place)
        html = build_page(sides, looks, gates, SCENES, out=out, machine=describe_machine())
        for name in recipes:
            with suppress(FileNotFoundError):
                shutil.rmtree(out / name)
            (place / name).rename(out / name)
        with replacing(out / "index.html") as file:
            file.write(html.encode())
    page = out / "index.html"
    console.print(
        f"done; open {page}: it shows what came out, and what to try next",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    return page


def pan_recipe(seed: int) -> Recipe:
    """PAN as small as learns something in a minute, with the optimiser of the bundled model."""
    return replace(
        find_recipe("pan-scenes"),
        name="demo-pan",
        model=ModelSpec(name="PAN", args={"encoder": "test_resnet", "channels": 64}),
        data=DataSpec(name="scenes", options={"size": SIZE}),
        crop_size=SIZE,
        optim=find_recipe("pan-demo").optim,
        seed=seed,
    )


def without_attention(recipe: Recipe) -> Recipe:
    """The same for a network without attention, as wide as makes it take the same multiply-adds."""
    args = recipe.model.args | {"context": "none", "decoder": "skip"}

    def plain(channels: int) -> ModelSpec:
        return ModelSpec(name="FCN", args=args | {"channels": channels})

    narrow = args["channels"]
    target, least, twice = map(multiply_adds, (recipe.model, plain(narrow), plain(2 * narrow)))
    width = narrow + round(
        narrow * (target - least) / (twice - least)
    )  # the cost of all that is wider grows in proportion
    return replace(recipe, name="demo-fcn", model=plain(width))


def multiply_adds(model: ModelSpec) -> int:
    """Cost of a network per scene, counted without running it."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        build_model(model.name, model.args, len(SCENES)).eval()(torch.empty(1, 3, *SIZE))
    return counter.get_total_flops() // 2  # the counter takes a multiply-add for two


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """A folder within ``out`` that is gone afterwards, whatever happens."""
    place, page = out / UNFINISHED, out / "index.html"
    with making(out):
        new = all(path == place for path in out.iterdir())
        if not new and not (page.is_file() and MARK in read_bytes(page).decode(errors="replace")):
            raise UsageError(
                f"{out} is not empty, and holds no earlier demo that could be replaced; choose another folder (--out)"
            )
        shutil.rmtree(place, ignore_errors=True)  # of a demo that was killed
        place.mkdir()
        try:
            yield place
        except Interrupted as stop:
            raise Interrupted(f"the demo was stopped; {out} is as it was before", stop.signal) from None
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _pace(recipe: Recipe, place: Path) -> float:
    """Pictures a second in training, at best: whatever else runs on the machine only slows some steps down."""
    short = replace(recipe, steps=PACE_STEPS, data=replace(recipe.data, options={"size": SIZE, "count": 8}))
    return max(float(row["images_per_second"]) for row in _course(train(short, Machine(), out=place)))


def _timed(recipe: Recipe, seconds: float, pace: float) -> Recipe:
    """With as many steps as fit."""
    steps = max(PACE_STEPS, round(seconds * pace / recipe.batch_size))
    return replace(recipe, steps=steps, val_every=steps)


def _trained(name: str, recipe: Recipe, place: Path, console: Console) -> TrainedNetwork:
    console.print(f"training {recipe.model.name}", highlight=False)
    train(recipe, Machine(), out=place, console=console)
    report = json.loads(read_bytes(place / "report.json"))
    done, seconds = 0, 0.0
    for row in _course(place):
        step = int(row["step"])
        seconds += (step - done) * recipe.batch_size / float(row["images_per_second"])
        done = step
    model = load(place).model
    return TrainedNetwork(
        name=name,
        recipe=recipe,
        seconds=seconds,
        parameters=sum(weights.numel() for weights in model.parameters()),
        multiply_adds=multiply_adds(recipe.model),
        report=report,
    )


def _course(run: Path) -> list[dict[str, str]]:
    with open_file(run / "metrics.csv", "r", newline="") as file:
        return list(csv.DictReader(file))


def _look(place: Path) -> tuple[list[Look], list[View]]:
    """The first scenes of the validation split through both networks, and PAN's gates for the first of them."""
    pan, fcn = load(place / "pan"), load(place / "fcn")
    scenes = Scenes("val", size=SIZE)
    looks, gates = [], []
    for index in range(SHOWN):
        sample = scenes[index]
        with capture(pan.model) as maps:
            first = pan(sample.image).labels
        spatial = next(each for each in maps if each.kind == "spatial")
        looks.append(Look(sample, (first, fcn(sample.image).labels), draw_map(spatial, sample.image)))
        if index == 0:
            gates = [draw_map(each, sample.image) for each in maps if each.kind == "channel"]
    return looks, gates


def describe_machine() -> str:
    """Processor or GPU, system, and releases of Python and torch."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} CPU cores"
    return f"{device}, {platform.system()} {platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}"
