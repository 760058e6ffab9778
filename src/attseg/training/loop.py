"""The training loop: ``fit`` is what happens between the steps, ``train_step`` is one optimizer step."""

from __future__ import annotations

import math
import shlex
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing

from torch import Tensor

from attseg.data.feeding.augment import Augment, name_of
from attseg.data.feeding.loader import Batch, train_loader
from attseg.data.sample import SegmentationData
from attseg.errors import UsageError
from attseg.losses import segmentation_loss
from attseg.models.frozen import describe_frozen
from attseg.recipes.recipe import Recipe
from attseg.runs.channels import train_transform
from attseg.runs.errors import Interrupted
from attseg.runs.folder import RunFolder
from attseg.runs.history import History
from attseg.runs.labels import LabelStatistics, label_statistics
from attseg.runs.length import Patience, decide_steps, is_done, is_extended, val_every
from attseg.runs.losses import RecentLosses
from attseg.runs.opening import FIRST, PACED, foretell, opening
from attseg.runs.progress import ProgressLine
from attseg.runs.signals import StopRequest
from attseg.runs.state import State
from attseg.runs.trackers import Tracker, open_trackers
from attseg.training.callbacks import Callback
from attseg.training.engine import launched
from attseg.training.first_weights import Start
from attseg.training.keep import Keeper
from attseg.training.learner import Learner
from attseg.training.optim import learning_rate, set_learning_rate, warmup_steps
from attseg.training.pace import within_minutes
from attseg.training.plan import Plan


def fit(
    begun: Start,
    data: SegmentationData,
    val: SegmentationData,
    recipe: Recipe,
    plan: Plan,
    folder: RunFolder,
    state: State | None,
    line: ProgressLine,
    callbacks: Sequence[Callback] = (),
    augment: Augment | None = None,
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
        callbacks: Hooks.
        augment: Changes training samples before the recipe's augmentation.

    Raises:
        UsageError: A resumed run was begun with another augmentation of its own, or with none.
        Interrupted: Ctrl-C or SIGTERM came; the state was saved.
        RunError: The loss or the weights became NaN or infinite, another process was lost, or not a step fits into the minutes.
        DataError: A sample cannot be read.
        FileError: The folder cannot be written.
    """
    began = time.perf_counter()
    recipe = decide_steps(recipe, len(data), state)
    if is_done(recipe, state):
        more = f"attseg train --resume --out {shlex.quote(str(folder.path))} --steps {2 * recipe.steps}"
        line.say(f"this run is complete; to train it for longer: {more}")
        return
    if state is not None and state.get("augment") != name_of(augment):
        raise UsageError(
            f"this run was begun with the augmentation {state.get('augment')} and goes on with {name_of(augment)}; give the same "
            "one again, from Python: train(..., augment=...)"
        )
    with ExitStack() as stack:
        stop = stack.enter_context(StopRequest(line.say))
        labels = label_statistics(recipe, data, folder, writes=plan.rank == 0, say=line.say)
        learner = Learner(stack.enter_context(launched(plan)), begun, recipe, plan, labels.class_weights)
        keeper = Keeper(learner, val, folder, more={"augment": name_of(augment)})
        if state is not None:
            learner.load_state_dict(state)
            keeper.load_state_dict(state)
        if recipe.minutes:
            stream, losses = (
                training_batches(learner, data, labels, augment),
                RecentLosses(plan.machine.accumulate, plan.world),
            )
            recipe = learner.recipe = within_minutes(
                learner, keeper, lambda: train_step(learner, stream, losses), began, line
            )
        line.steps = recipe.steps
        for text in opening(
            recipe,
            learner.model,
            data,
            val,
            device=plan.device,
            workers=plan.workers,
            machine=plan.machine,
            encoder_weights=begun.encoder_weights,
        ):
            line.say(text)
        _tell(learner, state, line)
        trackers: list[Tracker] = []
        if plan.rank == 0:
            history = History(folder.metrics, start=learner.step, classes=val.classes.names)
            trackers = [history, *open_trackers(plan.machine.log, folder, recipe, learner.step, line.say)]
            for tracker in trackers:
                stack.enter_context(closing(tracker))
        run_steps(
            learner, keeper, training_batches(learner, data, labels, augment), trackers, line, stop, state, callbacks
        )


def run_steps(
    learner: Learner,
    keeper: Keeper,
    batches: Iterator[Batch],
    trackers: Sequence[Tracker],
    line: ProgressLine,
    stop: StopRequest,
    state: State | None,
    callbacks: Sequence[Callback],
) -> None:
    """Train to the last step; between the steps log, evaluate, save, and stop where asked to.

    Args:
        learner: Has done ``learner.step`` steps.
        keeper: Evaluates and saves.
        batches: Those that are still to come.
        trackers: Where to log; none in processes other than the first.
        line: Shows the progress.
        stop: Tells whether this process was asked to stop.
        state: What the run goes on from.
        callbacks: Hooks.

    Raises:
        Interrupted: A process was asked to stop; the state was saved.
        RunError: The loss or the weights became NaN or infinite.
    """
    recipe, machine = learner.recipe, learner.plan.machine
    start, steps = learner.step, recipe.steps
    log_every = max(1, min(20, steps // 50))
    evaluate_every = val_every(recipe, steps)
    save_every = machine.save_every or math.ceil(steps / 10)
    losses = RecentLosses(machine.accumulate, learner.plan.world)
    patience = Patience(recipe, state)
    began = measured = paced = time.perf_counter()
    measured_step = start

    for step in range(start + 1, steps + 1):
        lr, latest = train_step(learner, batches, losses)
        for callback in callbacks:
            callback.on_step(learner, latest)

        last = step == steps
        stops = learner.fabric.strategy.reduce_boolean_decision(bool(stop.signal), all=False)
        evaluates = last or step % evaluate_every == 0
        saves = last or step % save_every == 0 or stops
        logs = evaluates or saves or step % log_every == 0 or step == start + 1
        if logs:
            loss = losses.take(step, model=learner.model if evaluates or saves else None, advice=_advice(keeper))
            now = time.perf_counter()
            images = (step - measured_step) * recipe.batch_size
            row = {"loss": loss, "lr": lr, "images_per_second": images / (now - measured)}
            measured, measured_step = now, step
        if step == start + FIRST:
            paced = time.perf_counter()
        elif step == start + PACED and step < steps:
            seconds = (time.perf_counter() - paced) / (PACED - FIRST)
            line.say(foretell(seconds, steps - step, math.ceil(steps / evaluate_every) - step // evaluate_every))
        if line.due():
            done, spent = step - measured_step, time.perf_counter() - measured
            speed = done * recipe.batch_size / spent if done else row["images_per_second"]
            left = (time.perf_counter() - began) / (step - start) * (steps - step)
            line.step(step, loss=losses.mean(row["loss"]), lr=lr, images_per_second=speed, left=left)
        scores = keeper.evaluate(line) if evaluates else {}
        if evaluates:
            ends = patience.take(scores)
            for callback in callbacks:
                callback.on_validation(learner, scores)
            if ends and not last:
                last = saves = True
                line.say(f"step {step} is the last of {steps}: {patience} (patience)")
        page = keeper.samples() if scores and len(trackers) > 1 else None
        for tracker in trackers if logs else ():
            tracker.add(step, row | scores)
            if page is not None:
                tracker.picture(step, "samples", page)
        if saves:
            keeper.save(**patience.state_dict())
        if evaluates or saves:
            measured = time.perf_counter()  # images_per_second is that of training alone
        if last:
            break
        if stops:
            learner.fabric.barrier()  # no process ends before the first has saved
            raise Interrupted(
                f"stopped after step {step} of {steps}; everything is saved in {keeper.folder.path}, and the run goes on from "
                "there with --resume",
                stop.signal or signal.SIGTERM,
            )
    for callback in callbacks:
        callback.on_end(learner)


def train_step(learner: Learner, batches: Iterator[Batch], losses: RecentLosses) -> tuple[float, Tensor]:
    """One optimizer step, over as many forward passes as ``machine.accumulate`` says.

    Args:
        learner: Is changed; its ``step`` counts up.
        batches: Batches of this process.
        losses: Is given the loss of each forward pass.

    Returns:
        The learning rate of the encoder in this step, and the loss of its last forward pass.
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
    return lr, loss.detach()


def training_batches(
    learner: Learner, data: SegmentationData, labels: LabelStatistics, augment: Augment | None
) -> Iterator[Batch]:
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
        augment=augment,
    )
    return iter(loader)


def _tell(learner: Learner, state: State | None, line: ProgressLine) -> None:
    """Say what a user may not expect."""
    recipe, steps = learner.recipe, learner.recipe.steps
    if state is None:
        if frozen := describe_frozen(learner.model):
            line.say(frozen)
        if recipe.optim.warmup > steps / 2:
            line.say(
                f"warm-up: {warmup_steps(recipe.optim, steps):g} steps, half of the run, not {recipe.optim.warmup:g}"
            )
    elif is_extended(recipe, state):
        lr = learning_rate(recipe.optim, learner.step, steps)
        line.say(
            f"{steps} steps in place of {state['steps']}: the learning rate goes on at {lr:.3g}, as in a run of {steps}, and "
            "falls to 0 at its end"
        )


def _advice(keeper: Keeper) -> str:
    kept = "the weights of the last save are untouched" if keeper.folder.last.exists() else "nothing was saved before"
    lr = keeper.learner.recipe.optim.lr
    return f"{kept}. Most often the learning rate (optim.lr {lr}) is too large; if not, look at these samples (attseg data check)"
