"""``train``: a recipe on a machine becomes a run folder. Lightning's Trainer is the engine, and sees to devices and precision."""

from __future__ import annotations

import atexit
import logging
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.strategies.launchers.subprocess_script import _SubprocessScriptLauncher
from rich.console import Console
from torch import distributed

from attseg.checkpoint import architecture
from attseg.data.catalog import open_data
from attseg.data.checking.counted import check_counted
from attseg.data.sample import DataError, SegmentationData
from attseg.models import Model
from attseg.recipes.recipe import DataSpec, Machine, Recipe
from attseg.training.check import check_recipe
from attseg.training.dilated import keep_planar
from attseg.training.errors import RunError
from attseg.training.first_weights import read_first_weights, start
from attseg.training.folder import RunFolder, claimed
from attseg.training.from_labels import from_labels
from attseg.training.pictures import draw_pictures
from attseg.training.plan import Plan, make_plan, under_torchrun
from attseg.training.progress import ProgressLine
from attseg.training.recorder import Recorder
from attseg.training.same_data import SameData
from attseg.training.signals import StopRequest
from attseg.training.state import State, load_state
from attseg.training.task import SegmentationTask

PRECISION: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}

NOISE = (r"`isinstance\(treespec, LeafSpec\)` is deprecated", "GPU available but not used")
"""How warnings begin that Lightning causes in its own code, or gives for what was asked for."""


def train(recipe: Recipe, machine: Machine, *, out: Path, resume: bool = False, console: Console | None = None) -> Path:
    """Train a recipe.

    A run that stops, for whatever reason, goes on from its last state with ``resume``. On the CPU its weights are then the
    same, bit for bit, as if it had never stopped.

    Args:
        recipe: What to train; decides the result.
        machine: Where and how.
        out: The run folder: recipe.yaml, metrics.csv and tensorboard/, best.safetensors (by mIoU) with its report.json,
            confusion.png and samples.png, last.safetensors, curves.png, and state/ to go on from.
        resume: Whether to go on with the run in ``out``.
        console: Where progress is shown; None shows nothing.

    Returns:
        The run folder.

    Raises:
        UsageError: A setting that cannot be, a new run where there is one, a resumed one where there is none.
        WeightsError: The weights that the recipe begins with do not fit its network.
        DataError: A data set cannot be used, or is no longer the one that the run began with.
        FileError: The folder cannot be written.
        Interrupted: Ctrl-C or SIGTERM came; the state was saved.
        RunError: Another process trains in this folder, the loss or the weights became infinite or NaN, another process of the
            run was lost, or no evaluation gave an mIoU; the last weights are kept then.
    """
    plan = make_plan(recipe, machine)
    data, val = _open(recipe.data)
    if not resume:  # a resumed run goes on with the same data only
        check_counted(data, val)
    folder = RunFolder(out)
    goes_on = resume and folder.has_saved()
    # a resumed run has its weights, and needs no pretrained ones again
    network = replace(recipe.model, args=architecture(recipe.model.args)) if goes_on else recipe.model
    check_recipe(replace(recipe, model=network), batch_size=plan.batch_size, num_classes=len(data.classes))
    first = None if goes_on else read_first_weights(recipe, data.classes)
    console = console if console is not None and plan.rank == 0 else Console(quiet=True)
    claim = claimed(folder, recipe, machine, resume=resume) if plan.rank == 0 else nullcontext()
    with claim, _quiet_lightning(), torch.random.fork_rng(devices=[]):
        state = _last_state(folder, console) if resume else None
        same_data = SameData(folder.data, (data, val)) if plan.rank == 0 else None
        with ProgressLine(console, steps=recipe.steps, step=_step(state)) as line, StopRequest(line.say) as stop:
            if resume:
                line.say(f"going on after step {_step(state)} of {recipe.steps}")
            begun = start(recipe, len(data.classes), first=first, state=state)
            if begun.encoder_weights is not None and state is None:
                line.say(f"encoder weights: {begun.encoder_weights}")
                line.say(f"normalisation: {begun.preprocessing}")
            model = _laid_out(begun.model, machine, plan)
            found = from_labels(recipe, data, folder, writes=plan.rank == 0, say=line.say)
            task = SegmentationTask(
                model,
                recipe,
                plan,
                data,
                preprocessing=begun.preprocessing,
                accumulate=machine.accumulate,
                start=_step(state),
                optimizer_state=None if state is None else state["optimizer"],
                class_weights=found.class_weights,
                chances=found.chances,
                cache=machine.cache,
                compiled=machine.compile,
            )
            recorder = Recorder(
                recipe=recipe,
                machine=machine,
                plan=plan,
                data=val,
                same_data=same_data,
                encoder_weights=begun.encoder_weights,
                folder=folder,
                state=state,
                line=line,
                stop=stop,
            )
            trainer = _trainer(recipe, machine, plan, recorder, out)
            if task.start < recipe.steps:
                _fit(trainer, task)
            if plan.rank == 0:
                line.say("drawing pictures")
                draw_pictures(folder, model, val, trainer.strategy.root_device)
    if plan.rank == 0 and not folder.best.exists():
        raise RunError(
            f"training is complete, but the split {val.split!r} gave no mIoU: no pixel of it counted in any evaluation, so no "
            f"weights are the best. Those of the last step are in {folder.last}; correct the labels and measure them with "
            f"attseg evaluate {folder.last}"
        )
    return out


def _open(spec: DataSpec) -> tuple[SegmentationData, SegmentationData]:
    """The splits to train and to evaluate on."""
    data, val = (open_data(spec.name, split, root=spec.root, **spec.options) for split in (spec.train, spec.val))
    if data.classes != val.classes:
        raise DataError(f"the splits {spec.train!r} and {spec.val!r} of {spec.name} differ in their classes")
    if len(val) == 0:
        raise DataError(f"the split {spec.val!r} has no picture to evaluate on")
    return data, val


def _fit(trainer: Trainer, task: SegmentationTask) -> None:
    try:
        trainer.fit(task)
    except RunError:
        if task.plan.rank == 0:
            raise
        raise SystemExit(0) from None  # what ends all processes is told by the first
    except RuntimeError as error:
        if task.plan.world == 1 or not _tells_of_a_lost_process(error):
            raise
        if isinstance(launcher := trainer.strategy.launcher, _SubprocessScriptLauncher):
            atexit.register(
                launcher.kill, getattr(signal, "SIGKILL", signal.SIGTERM)
            )  # one that hangs would outlive this process
        raise RunError(
            f"process {task.plan.rank} of {task.plan.world} has lost another one, which ended or did not answer in time: what it "
            "said last is the reason. The run goes on from its last save with --resume"
        ) from error


def _tells_of_a_lost_process(error: RuntimeError) -> bool:
    """Whether a collective operation failed; gloo, which speaks between CPUs, has no type of error of its own."""
    return isinstance(error, distributed.DistError) or any(word in str(error) for word in ("gloo", "pair closure"))


def _step(state: State | None) -> int:
    return 0 if state is None else int(state["step"])


def _last_state(folder: RunFolder, console: Console) -> State | None:
    state, damaged = load_state(folder.state)
    for path in damaged:
        console.print(f"{path} is damaged; going on from the state before it", markup=False, highlight=False)
    return state


def _laid_out(model: Model, machine: Machine, plan: Plan) -> Model:
    """The network in the memory layout of the plan."""
    if plan.channels_last:
        model = model.to(memory_format=torch.channels_last)
    if plan.device == "cpu" and machine.precision == "bf16":
        keep_planar(model)
    return model


def _trainer(recipe: Recipe, machine: Machine, plan: Plan, recorder: Recorder, out: Path) -> Trainer:
    """Lightning's Trainer with everything off that this package does itself."""
    parallel, on_gpu = plan.world > 1, plan.device == "cuda"
    return Trainer(
        accelerator=plan.device,
        devices=plan.devices,
        num_nodes=plan.nodes,
        plugins=TorchElasticEnvironment() if under_torchrun() else LightningEnvironment(),
        strategy=DDPStrategy(timeout=timedelta(seconds=machine.timeout)) if parallel else "auto",
        precision=PRECISION[machine.precision],
        sync_batchnorm=machine.sync_bn and parallel and on_gpu,
        deterministic=True if machine.deterministic and on_gpu else None,
        benchmark=on_gpu and not machine.deterministic,
        max_epochs=1,
        accumulate_grad_batches=machine.accumulate,
        gradient_clip_val=recipe.optim.clip or None,
        callbacks=[recorder],
        default_root_dir=out,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_autolog_hparams=False,
        use_distributed_sampler=False,
    )


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Without Lightning's banners, its tips, and the warnings that nobody but its authors can do something about."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for message in NOISE:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
