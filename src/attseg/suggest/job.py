"""From a folder to a command: ``suggest``."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from attseg.data.catalog import open_data
from attseg.data.checking.recognise import arguments
from attseg.errors import UsageError
from attseg.profiling.count import profile
from attseg.profiling.subject import find_subject
from attseg.recipes.recipe import DataSpec, Machine, Recipe
from attseg.runs.labels import FEW
from attseg.suggest.choose import Computer, choose
from attseg.suggest.data import DataSummary, summarise
from attseg.suggest.pace import Estimate, Pace, estimate, measure, shortened
from attseg.text import dimensions
from attseg.training.check import checked_recipe

FEWEST_STEPS = 50
COUNTED = 256
"""Side of the image for which the memory of training is counted."""


@dataclass(frozen=True)
class Suggestion:
    """Result of ``suggest``.

    Args:
        recipe: What to train, from scratch where pretrained weights are not to be had.
        machine: How.
        data: Summary of the data.
        computer: Where.
        pace: What was timed.
        why: Reasons of the choices.
        notes: What is worth knowing before: classes that are too rare, objects that are too small, weights that are missing.
    """

    recipe: Recipe
    machine: Machine
    data: DataSummary
    computer: Computer
    pace: Pace
    why: list[str]
    notes: list[str]

    @property
    def estimate(self) -> Estimate:
        """How long it takes."""
        return estimate(self.recipe, self.pace)

    def within(self, minutes: float) -> Suggestion:
        """The same with at most as many steps as fit into minutes, which is said."""
        wanted, recipe = self.recipe.steps, shortened(self.recipe, self.pace, minutes)
        rounds = recipe.steps * recipe.batch_size / self.data.train
        steps = f"{recipe.steps} steps, {rounds:.1f} times through {self.data.train} training pictures"
        if recipe.steps < wanted:
            steps += f"; {wanted} would be better, but do not fit into {minutes:.3g} minutes"
        few = f"{recipe.steps} steps teach little: give more minutes, a GPU, or a computer with less to do"
        return replace(
            self,
            recipe=recipe,
            why=[*self.why, steps],
            notes=[*self.notes, *([few] if recipe.steps < FEWEST_STEPS else [])],
        )

    @property
    def command(self) -> str:
        """The command line that trains it."""
        recipe = self.recipe
        parts = ["attseg", "train", recipe.name, "--data.root", str(recipe.data.root)]
        for name in ("train", "val"):
            if (split := getattr(recipe.data, name)) != name:
                parts += [f"--data.{name}", split]
        line = f"{shlex.join(parts)} {arguments(recipe.data.options)}".rstrip()
        height, width = recipe.crop_size
        settings = {
            "crop_size": f"{height},{width}",
            "batch_size": recipe.batch_size,
            "steps": recipe.steps,
            "val_every": recipe.val_every,
            "loss.class_weights": recipe.loss.class_weights,
            "machine.precision": self.machine.precision,
        }
        return f"{line} {' '.join(f'--{name} {value}' for name, value in settings.items())}"

    def describe(self) -> Iterator[str]:
        """What was found, chosen and timed, and the command, for people."""
        summary, pace, takes = self.data, self.pace, self.estimate
        yield (
            f"{summary.train} pictures to train on and {summary.val} to evaluate on, {dimensions(summary.size)} (height x width, "
            f"median), {len(summary.shares)} classes; {summary.looked_at} were looked at"
        )
        yield from (f"- {reason}" for reason in self.why)
        yield from (f"note: {note}" for note in self.notes)
        if len(pace.steps) == 1:
            span = "too rough to rely on: one step was timed here, mostly a slow first one; more --seconds time more"
        else:
            span = f"{takes.low:.1f} to {takes.high:.1f}: {len(pace.steps)} steps were timed here"
        yield (
            f"\nabout {takes.minutes:.1f} minutes, {span}, {pace.step:.2f} s each, as busy as it is now; an evaluation takes "
            f"{pace.evaluation:.1f} s\n"
        )
        yield self.command

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "command": self.command,
            "data": asdict(self.data),
            "computer": asdict(self.computer),
            "estimate": asdict(self.estimate),
            "seconds": {"step": self.pace.step, "evaluation": self.pace.evaluation, "timed": len(self.pace.steps)},
            "why": self.why,
            "notes": self.notes,
        }


def suggest(spec: DataSpec, *, minutes: float | None = 30.0, seconds: float = 20.0) -> Suggestion:
    """Look at data and computer, choose how to train, and time some steps of it.

    Args:
        spec: A folder of pictures and labels; nothing is written.
        minutes: That training may take at most; None for as many steps as are wanted.
        seconds: For about how long samples are read and steps are timed; the network is built besides.

    Raises:
        UsageError: There is no time; a split is empty, or has too few pictures to learn anything from.
        DataError: The folder cannot be read as it is; ``attseg data check`` says why.
    """
    if minutes is not None and not minutes > 0:
        raise UsageError(f"minutes is {minutes:g}; more than 0 was expected")
    train, val = (open_data(spec.name, split, root=spec.root, **spec.options) for split in (spec.train, spec.val))
    if len(train) < FEW or len(val) == 0:
        raise UsageError(
            f"{spec.root} has {len(train)} pictures in {spec.train!r} and {len(val)} in {spec.val!r}; at least {FEW} to train "
            "on and 1 to evaluate on were expected"
        )
    began = time.perf_counter()
    data, computer = summarise(train, val, seconds=seconds / 2), Computer.here()
    recipe, machine, why = choose(data, spec, computer, _bytes_per_pixel(computer))
    with torch.random.fork_rng(devices=[]):
        recipe, instead = checked_recipe(recipe, batch_size=recipe.batch_size, num_classes=len(train.classes))
        left = seconds - (time.perf_counter() - began)
        pace = measure(recipe, machine, train, val, seconds=max(left, seconds / 2))
    notes = [*filter(None, [instead]), *_notes(data, recipe)]
    found = Suggestion(recipe, machine, data, computer, pace, why, notes)
    return found if minutes is None else found.within(minutes)


def _bytes_per_pixel(computer: Computer) -> float:
    """Memory that training keeps for the backward pass, per pixel of a crop."""
    found = profile(
        find_subject("finetune-medium" if computer.device == "cuda" else "finetune-small").build(), (COUNTED, COUNTED)
    )
    return found.total.kept_bytes / COUNTED**2


def _notes(data: DataSummary, recipe: Recipe) -> list[str]:
    notes = []
    if data.rare:
        listed = ", ".join(f"{name} in {count}" for name, count in data.rare.items())
        notes.append(
            f"classes in fewer than {FEW} training pictures cannot be learned: {listed}; label more, or leave them out"
        )
    if data.object_class is not None and data.object_side < SMALL:
        notes.append(
            f"half of the regions of {data.object_class!r} are smaller than {data.object_side:.0f} pixels a side; the network "
            f"decides on a map at stride 4, so that what is below about {SMALL} pixels blurs: enlarge the pictures"
        )
    height, width = data.smallest_size
    if height < recipe.crop_size[0] or width < recipe.crop_size[1]:
        notes.append(
            f"the smallest pictures, {height} x {width}, are padded to the crop of {recipe.crop_size[0]} x {recipe.crop_size[1]} "
            "pixels; training ignores the padding"
        )
    return notes


SMALL = 8
"""Pixels a side below which objects are hard to find."""
