"""``train``: a recipe on a machine becomes a run folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console

from attseg.checkpoint import architecture
from attseg.data.checking.first_look import check_counted
from attseg.data.checking.unchanged import check_unchanged
from attseg.data.feeding.augment import Augment
from attseg.data.sample import SegmentationData
from attseg.data.sets.kept_splits import keep_splits
from attseg.recipes.files import read_recipe
from attseg.recipes.recipe import Machine, Recipe
from attseg.runs.channels import with_channels
from attseg.runs.errors import RunError
from attseg.runs.folder import RunFolder, claimed
from attseg.runs.labels import check_weights
from attseg.runs.length import decide_steps
from attseg.runs.opening import busy_hint
from attseg.runs.pictures import draw_pictures
from attseg.runs.progress import ProgressLine
from attseg.runs.splits import check_splits, open_splits, remarks
from attseg.runs.state import State, load_state
from attseg.runs.trackers import check_trackers
from attseg.training.callbacks import Callback
from attseg.training.check import as_begun, check_recipe, checked_recipe
from attseg.training.first_weights import read_first_weights, start
from attseg.training.loop import fit
from attseg.training.plan import make_plan


def train(
    recipe: Recipe,
    machine: Machine,
    *,
    out: Path,
    resume: bool = False,
    console: Console | None = None,
    callbacks: Sequence[Callback] = (),
    augment: Augment | None = None,
    splits: tuple[SegmentationData, SegmentationData] | None = None,
) -> Path:
    """Train a recipe.

    A run that stops, for whatever reason, goes on from its last state with ``resume``. On the CPU its weights are then the
    same, bit for bit, as if it had never stopped.

    Args:
        recipe: What to train; decides the result.
        machine: Where and how.
        out: The run folder: recipe.yaml, metrics.csv and tensorboard/, best.safetensors (by mIoU) with its report.json,
            confusion.png and samples.png, last.safetensors, curves.png, splits.csv where an option divides the pictures, and
            state/ to go on from.
        resume: Whether to go on with the run in ``out``.
        console: Where progress is shown; None shows nothing.
        callbacks: Hooks: ``Callback`` says which there are.
        augment: Changes training images and labels before the recipe's augmentation; a resumed run is to be given it again.
        splits: What to train and to evaluate on, in place of the data set that the recipe names.

    Returns:
        The run folder.

    Raises:
        UsageError: A setting that cannot be, a new run where there is one, a resumed one where there is none.
        WeightsError: Nothing of the weights that the recipe begins with fits its network.
        DataError: A data set cannot be used, or is no longer the one that the run began with.
        FileError: The folder cannot be written.
        Interrupted: Ctrl-C or SIGTERM came; the state was saved.
        RunError: Another process trains in this folder, the loss or the weights became NaN or infinite, another process of the
            run was lost, or no evaluation gave an mIoU; the last weights are kept then.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = busy_hint(torch.get_num_threads(), os.cpu_count() or 1, load)
    plan = make_plan(recipe, machine)
    check_trackers(machine.log)
    folder = RunFolder(out)
    data, val = splits or open_splits(recipe.data, folder.splits if resume else None)
    check_splits(data, val)
    recipe = with_channels(recipe, data)
    if resume and folder.recipe.exists():
        recipe = as_begun(recipe, read_recipe(folder.recipe)[0])
    check_weights(recipe, data.classes)
    if not resume:  # a resumed run goes on with the same data only
        check_counted(data, val)
    goes_on = resume and folder.has_saved()
    if not (goes_on and recipe.minutes):  # what cannot be is told before anything is written
        decide_steps(recipe, len(data), {"step": folder.saved_steps()} if goes_on else None)
    # a resumed run has its weights, and needs no pretrained ones again
    instead = ""
    if goes_on:
        network = replace(recipe.model, args=architecture(recipe.model.args))
        stored = replace(recipe, model=network)
        check_recipe(stored, batch_size=plan.batch_size, num_classes=len(data.classes), stored=True)
    else:
        recipe, instead = checked_recipe(recipe, batch_size=plan.batch_size, num_classes=len(data.classes))
    first = None if goes_on else read_first_weights(recipe, data.classes)
    console = console if console is not None and plan.rank == 0 else Console(quiet=True)
    claim = claimed(folder, recipe, machine, resume=resume) if plan.rank == 0 else nullcontext()
    with claim, torch.random.fork_rng(devices=[]):
        state = _last_state(folder, console) if resume else None
        done = 0 if state is None else int(state["step"])
        recipe = decide_steps(recipe, len(data), state)
        if plan.rank == 0:
            keep_splits(data, folder.splits)
            check_unchanged(folder.data, (data, val))
        with ProgressLine(console, steps=recipe.steps, step=done) as line:
            if busy:
                line.say(busy)
            if resume:
                line.say(f"going on after step {done} of {recipe.steps}")
            if first is not None:
                line.say(f"weights: {first.told}")
            if instead and (first is None or not first.encoder):
                line.say(instead)
            begun = start(recipe, len(data.classes), first=first, state=state)
            if begun.encoder_weights is not None and state is None:
                line.say(f"encoder weights: {begun.encoder_weights}")
                line.say(f"normalisation: {begun.preprocessing}")
            elif recipe.freeze != "none" and state is None and (first is None or not first.encoder):
                line.say(
                    f"freeze is {recipe.freeze}, and the encoder has random weights, which never learn: give it some with "
                    "--model.args.pretrained true, --model.args.encoder_weights FILE or --init RUN, or freeze nothing"
                )
            if state is None and plan.rank == 0:
                for remark in remarks(recipe, data, val):
                    line.say(remark)
            fit(begun, data, val, recipe, plan, folder, state, line, callbacks, augment)
            if plan.rank == 0:
                line.say("drawing pictures")
                draw_pictures(folder, begun.model, val, torch.device(plan.device))
    if plan.rank == 0 and not folder.best.exists():
        raise RunError(
            f"training is complete, but the split {val.split!r} gave no mIoU: no pixel of it counted in any evaluation, so no "
            f"weights are the best. Those of the last step are in {folder.last}; correct the labels and measure them with "
            f"attseg evaluate {folder.last}"
        )
    return out


def _last_state(folder: RunFolder, console: Console) -> State | None:
    state, damaged = load_state(folder.state)
    for path in damaged:
        console.print(f"{path} is damaged; going on from the state before it", markup=False, highlight=False)
    return state
