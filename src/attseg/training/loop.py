"""The training loop: ``fit`` is what happens between the steps, ``train_step`` is one optimizer step."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext

from attseg.data.feeding.loader import Batch, train_loader
from attseg.data.sample import SegmentationData
from attseg.losses import segmentation_loss
from attseg.recipes.recipe import Recipe
from attseg.runs.errors import Interrupted
from attseg.runs.folder import RunFolder
from attseg.runs.history import History
from attseg.runs.state import State
from attseg.training.channels import train_transform
from attseg.training.engine import launched
from attseg.training.first_weights import Start
from attseg.training.keep import Keeper
from attseg.training.labels import LabelStatistics, label_statistics
from attseg.training.learner import Learner
from attseg.training.optim import learning_rate, set_learning_rate
from attseg.training.plan import Plan
from attseg.training.progress import ProgressLine
from attseg.training.recent import RecentLosses
from attseg.training.signals import StopRequest

LEAST_BETWEEN = 100
"""Steps between two evaluations, at least, where the recipe leaves it open: short runs are not all evaluation."""


def fit(
    begun: Start,
    data: SegmentationData,
    val: SegmentationData,
    recipe: Recipe,
    plan: Plan,
    folder: RunFolder,
    state: State | None,
    line: ProgressLine,
) -> None:
    """Train a network to the last step of a recipe, and leave weights, log and states in a run folder.

    Args:
        begun: The network, with its first weights or those of ``state``, and its preprocessing; trained in place.
        data: The split to train on.
        val: The split to evaluate on.
        recipe: How to train. Of ``model`` and ``data`` only ``data.options`` for ``range``, ``bands``, ``mean`` and ``std`` are
            used; they are written to the files.
        plan: What ``make_plan`` decided.
        folder: Where files go; it must exist.
        state: What ``load_state`` found; None for a new run.
        line: Shows the progress.

    Raises:
        Interrupted: Ctrl-C or SIGTERM came; the state was saved.
        RunError: The loss or the weights became NaN or infinite, or another process was lost.
        DataError: A sample cannot be read.
        FileError: The folder cannot be written.
    """
    if state is not None and state["step"] >= recipe.steps:
        return
    with StopRequest(line.say) as stop:
        labels = label_statistics(recipe, data, folder, writes=plan.rank == 0, say=line.say)
        with launched(plan) as fabric:
            learner = Learner(fabric, begun, recipe, plan, labels.class_weights)
            keeper = Keeper(learner, val, folder)
            if recipe.freeze != "none" and state is None:
                values = list(begun.model.parameters())
                still = sum(not value.requires_grad for value in values)
                line.say(f"frozen: {still} of {len(values)} parameter tensors (freeze: {recipe.freeze})")
            if state is not None:
                learner.load_state_dict(state)
                keeper.best = -1.0 if math.isnan(state["best"]) else state["best"]
            history = None
            if plan.rank == 0:
                history = History(folder.metrics, start=learner.step, tensorboard=folder.tensorboard)
            with nullcontext() if history is None else closing(history):
                run_steps(learner, keeper, _batches(learner, data, labels), history, line, stop)


def run_steps(
    learner: Learner,
    keeper: Keeper,
    batches: Iterator[Batch],
    history: History | None,
    line: ProgressLine,
    stop: StopRequest,
) -> None:
    """Train to the last step; between the steps log, evaluate, save, and stop where asked to.

    Args:
        learner: Has done ``learner.step`` steps.
        keeper: Evaluates and saves.
        batches: Those that are still to come.
        history: The log; None in processes other than the first.
        line: Shows the progress.
        stop: Tells whether this process was asked to stop.

    Raises:
        Interrupted: A process was asked to stop; the state was saved.
        RunError: The loss or the weights became NaN or infinite.
    """
    start, steps, machine = learner.step, learner.recipe.steps, learner.plan.machine
    tenth = math.ceil(steps / 10)
    log_every = max(1, min(20, steps // 50))
    val_every = learner.recipe.val_every or max(tenth, LEAST_BETWEEN)
    save_every = machine.save_every or tenth
    losses = RecentLosses(machine.accumulate, learner.plan.world)
    began = measured = time.perf_counter()
    measured_step = start

    for step in range(start + 1, steps + 1):
        lr = train_step(learner, batches, losses)

        last = step == steps
        stops = learner.fabric.strategy.reduce_boolean_decision(bool(stop.signal), all=False)
        evaluates = last or step % val_every == 0
        saves = last or step % save_every == 0 or stops
        logs = evaluates or saves or step % log_every == 0 or step == start + 1
        if logs:
            loss = losses.take(step, model=learner.model if evaluates or saves else None, advice=_advice(keeper))
            now = time.perf_counter()
            images = (step - measured_step) * learner.recipe.batch_size
            row = {"loss": loss, "lr": lr, "images_per_second": images / (now - measured)}
            measured, measured_step = now, step
        line.step(step, **row, left=(time.perf_counter() - began) / (step - start) * (steps - step))
        scores = keeper.evaluate(line) if evaluates else {}
        if logs and history is not None:
            history.add(step, **row, **scores)
        if saves:
            keeper.save()
        if evaluates or saves:
            measured = time.perf_counter()  # images_per_second is that of training alone
        if stops and not last:
            learner.fabric.barrier()  # no process ends before the first has saved
            raise Interrupted(
                f"stopped after step {step} of {steps}; everything is saved in {keeper.folder.path}, and the run goes on from "
                "there with --resume",
                stop.signal or signal.SIGTERM,
            )


def train_step(learner: Learner, batches: Iterator[Batch], losses: RecentLosses) -> float:
    """One optimizer step, over as many forward passes as ``machine.accumulate`` says.

    Args:
        learner: Is changed; its ``step`` counts up.
        batches: Batches of this process.
        losses: Is given the loss of each forward pass.

    Returns:
        The learning rate of the encoder in this step.
    """
    fabric, network, optimizer, recipe = learner.fabric, learner.network, learner.optimizer, learner.recipe
    accumulate = learner.plan.machine.accumulate

    lr = learning_rate(recipe.optim, learner.step, recipe.steps)
    set_learning_rate(optimizer, lr)
    optimizer.zero_grad()
    for part in range(accumulate):
        batch = fabric.to_device(next(batches))
        learner.seed_layers(learner.step * accumulate + part)
        with fabric.no_backward_sync(network, enabled=part < accumulate - 1):
            output = network(batch["images"])
            loss = segmentation_loss(
                output, batch["labels"], loss=learner.loss, weight=learner.class_weights, aux=recipe.loss.aux
            )
            fabric.backward(loss / accumulate)
        losses.add(loss, batch["names"])
    if recipe.optim.clip:
        fabric.clip_gradients(network, optimizer, max_norm=recipe.optim.clip, error_if_nonfinite=False)
    optimizer.step()
    if learner.average is not None:
        learner.average.update(learner.model)
    learner.step += 1
    return lr


def _batches(learner: Learner, data: SegmentationData, labels: LabelStatistics) -> Iterator[Batch]:
    """The batches of this process that are still to come, without end."""
    recipe, plan = learner.recipe, learner.plan
    loader = train_loader(
        data,
        train_transform(recipe, learner.preprocessing.chosen),
        batch_size=plan.batch_size,
        seed=recipe.seed,
        chances=labels.chances,
        start=learner.step * plan.machine.accumulate,
        rank=plan.rank,
        world=plan.world,
        workers=plan.workers,
        cache=plan.machine.cache,
    )
    return iter(loader)


def _advice(keeper: Keeper) -> str:
    kept = "the weights of the last save are untouched" if keeper.folder.last.exists() else "nothing was saved before"
    lr = keeper.learner.recipe.optim.lr
    return f"{kept}. Most often the learning rate (optim.lr {lr}) is too large; if not, look at these samples (attseg data check)"
