"""What happens between the steps of training: rows in the log, evaluations, saved weights and states."""

from __future__ import annotations

import json
import math
import signal
import time
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import distributed, nn

from attseg.checkpoint import save_weights
from attseg.data.sample import SegmentationData
from attseg.evaluation.evaluate import evaluate
from attseg.evaluation.identity import describe_data
from attseg.evaluation.report import Report
from attseg.files import replacing
from attseg.recipes.recipe import Machine, Recipe
from attseg.recipes.values import to_values
from attseg.training.ema import MovingAverage
from attseg.training.errors import Interrupted, RunError
from attseg.training.folder import RunFolder
from attseg.training.history import History
from attseg.training.plan import Plan
from attseg.training.progress import ProgressLine
from attseg.training.same_data import SameData
from attseg.training.signals import StopRequest
from attseg.training.state import State, save_state
from attseg.training.task import SegmentationTask

LEAST_BETWEEN = 100
"""Steps between two evaluations, at least, where the recipe leaves it open: short runs are not all evaluation."""

MOST_NAMED = 8
"""Samples that a message names."""


# Lightning types the module in its hooks as LightningModule; ours are only ever given a SegmentationTask, hence the ignores.
class Recorder(Callback):
    """Watches over a run, and brings back what an earlier part of it left.

    Evaluation goes through ``attseg.evaluation``, as it does for ``attseg evaluate``, so that both give the same numbers; in a
    run over several processes all of them take part. The first process alone writes.

    Args:
        recipe: What is trained.
        machine: How often to save.
        plan: On what it is trained.
        data: The split to evaluate on.
        same_data: What the data set was when the run began; None in processes other than the first.
        encoder_weights: How many tensors the encoder began with, and from where.
        folder: Where files go.
        state: What ``load_state`` found; None for a new run.
        line: What shows the progress.
        stop: Tells when somebody wants the run to stop.
    """

    def __init__(
        self,
        *,
        recipe: Recipe,
        machine: Machine,
        plan: Plan,
        data: SegmentationData,
        same_data: SameData | None,
        encoder_weights: str | None,
        folder: RunFolder,
        state: State | None,
        line: ProgressLine,
        stop: StopRequest,
    ) -> None:
        self.recipe = recipe
        self.plan = plan
        self.data = data
        self.same_data = same_data
        self.encoder_weights = encoder_weights
        self.folder = folder
        self.state = state
        self.line = line
        self.stop = stop
        self.log_every = max(1, min(20, recipe.steps // 50))
        tenth = math.ceil(recipe.steps / 10)
        self.val_every = recipe.val_every or max(tenth, LEAST_BETWEEN)
        self.save_every = machine.save_every or tenth
        self.best = -1.0 if state is None or math.isnan(state["best"]) else float(state["best"])
        self.average: MovingAverage | None = None
        self.history: History | None = None

    # Lightning declares any module; this records runs of one kind: hence "ignore" in its hooks.
    def on_train_start(self, trainer: Trainer, task: SegmentationTask) -> None:  # type: ignore[override]
        """Bring back what does not belong to the task."""
        self.stop.listen()
        if self.recipe.ema:
            self.average = MovingAverage(task.model, self.recipe.ema)
        if self.state is not None:
            if self.average is not None:
                self.average.load_state_dict(self.state["average"])
            trainer.precision_plugin.load_state_dict(self.state["precision"])
        self.state = None
        if trainer.is_global_zero:
            self.history = History(self.folder.metrics, start=task.start, tensorboard=self.folder.tensorboard)
        self.began = self.looked = time.perf_counter()
        self.looked_at = task.start

    def on_train_batch_end(  # type: ignore[override]
        self,
        trainer: Trainer,
        task: SegmentationTask,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """After each step: whatever is due."""
        if (batch_idx + 1) % task.accumulate:
            return
        step, steps = task.start + trainer.global_step, self.recipe.steps
        if self.average is not None:
            self.average.update(task.model)
        stops = trainer.strategy.reduce_boolean_decision(bool(self.stop.signal), all=False)
        evaluates = step == steps or step % self.val_every == 0
        saves = step == steps or step % self.save_every == 0 or stops
        looks = evaluates or saves or step % self.log_every == 0 or step == task.start + 1
        if looks:
            self._look(trainer, task, step, keeps=evaluates or saves)
        left = (time.perf_counter() - self.began) / (step - task.start) * (steps - step)
        self.line.step(step, **self.values, left=left)
        scores = self._evaluate(trainer, task, step) if evaluates else {}
        if looks and self.history is not None:
            self.history.add(step, **self.values, **scores)
        if saves:
            self._save(trainer, task, step)
        if evaluates or saves:
            self.looked = time.perf_counter()  # the rate is that of training alone
        if stops and step < steps:
            self._stop(trainer, step)

    def teardown(self, trainer: Trainer, task: SegmentationTask, stage: str) -> None:  # type: ignore[override]
        """Close the log, however training ended."""
        if self.history is not None:
            self.history.close()

    def _look(self, trainer: Trainer, task: SegmentationTask, step: int, *, keeps: bool) -> None:
        """Take the losses since the last look, from all processes; only now does the GPU have to be waited for.

        Where weights are about to be kept, look at them and at the data set too: a loss that is a number may have had a gradient
        that is none.
        """
        if keeps and self.same_data is not None:
            self.same_data.check()
        losses = torch.stack([loss for loss, _ in task.losses]).tolist()
        first = next((index for index, loss in enumerate(losses) if not math.isfinite(loss)), None)
        broken = None
        if first is not None:
            passed = (len(losses) - 1 - first) // task.accumulate
            broken = (step - passed, f"the loss is {losses[first]}", task.losses[first][1])
        elif keeps and not _all_finite(task.model):
            names = [name for _, names in task.losses[-task.accumulate :] for name in names]
            broken = (step, f"the loss is {losses[-1]:.3g}, but weights became infinite or no numbers", names)
        task.losses.clear()
        everyone = _gather((sum(losses) / len(losses), broken), self.plan.world)
        if found := [broken for _, broken in everyone if broken is not None]:
            raise RunError(self._diverged(*min(found)))
        now = time.perf_counter()
        self.values = {
            "loss": sum(loss for loss, _ in everyone) / len(everyone),
            "lr": trainer.optimizers[0].param_groups[0]["lr"],
            "images_per_second": (step - self.looked_at) * self.recipe.batch_size / (now - self.looked),
        }
        self.looked, self.looked_at = now, step

    def _diverged(self, step: int, what: str, names: list[str]) -> str:
        named = ", ".join(names[:MOST_NAMED]) + (" and others" if len(names) > MOST_NAMED else "")
        kept = "the weights of the last save are untouched" if self.folder.last.exists() else "nothing was saved before"
        return (
            f"in step {step} {what}, over the samples {named}; {kept}. Most often the learning "
            f"rate (optim.lr {self.recipe.optim.lr}) is too large; if not, look at these samples (attseg data check)"
        )

    def _evaluate(self, trainer: Trainer, task: SegmentationTask, step: int) -> dict[str, float]:
        models = [task.model] if self.average is None else [task.model, self.average.model]
        if self.plan.world > 1:  # each process has its own batch statistics
            for buffer in (buffer for model in models for buffer in model.buffers()):
                distributed.broadcast(buffer, 0)
        report = evaluate(
            models[-1],
            self.data,
            task.preprocessing,
            device=task.device,
            workers=self.plan.workers if self.plan.device == "cuda" else 0,
            rank=trainer.global_rank,
            world=self.plan.world,
            on_picture=lambda done, total, sample, prediction: self.line.evaluation(done, total),
        )
        if math.isnan(report.miou):
            self.line.say(f"step {step}: no mIoU, since no pixel of the split {self.data.split!r} counts")
            return {}
        better = report.miou > self.best
        if better:
            self.best = report.miou
            if trainer.is_global_zero:
                self._write_best(task, step, report)
        self.line.say(f"step {step}: mIoU {100 * report.miou:.2f} %{', the best so far' if better else ''}")
        return {"miou": report.miou, "pixel_accuracy": report.pixel_accuracy}

    def _write_best(self, task: SegmentationTask, step: int, report: Report) -> None:
        self._write_weights(task, step, best=True)
        spec = self.recipe.data
        about = {"recipe": self.recipe.name, "seed": self.recipe.seed, "step": step}
        about |= describe_data(spec.name, spec.root, spec.options, self.data)
        with replacing(self.folder.report) as file:
            file.write(json.dumps(report.to_dict() | about).encode() + b"\n")

    def _save(self, trainer: Trainer, task: SegmentationTask, step: int) -> None:
        if not trainer.is_global_zero:
            return
        self._write_weights(task, step, best=False)
        state = {
            "step": step,
            "model": task.model.state_dict(),
            "optimizer": trainer.optimizers[0].state_dict(),
            "precision": trainer.precision_plugin.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "best": self.best,
            "preprocessing": task.preprocessing.to_dict(),
            "encoder_weights": self.encoder_weights,
        }
        save_state(self.folder.state, step, state)

    def _write_weights(self, task: SegmentationTask, step: int, *, best: bool) -> None:
        info = {"recipe": to_values(self.recipe), "step": step, "seed": self.recipe.seed}
        if self.encoder_weights is not None:
            info["encoder_weights"] = self.encoder_weights
        save_weights(
            self.folder.best if best else self.folder.last,
            (task.model if self.average is None else self.average.model).state_dict(),
            model=self.recipe.model,
            classes=self.data.classes,
            preprocessing=task.preprocessing,
            info=info | {"miou": self.best} if best else info,
        )

    def _stop(self, trainer: Trainer, step: int) -> None:
        trainer.strategy.barrier()  # nobody leaves before the first process has saved
        raise Interrupted(
            f"stopped after step {step} of {self.recipe.steps}; everything is saved in {self.folder.path}, and the run goes on "
            "from there with --resume",
            self.stop.signal or signal.SIGTERM,
        )


def _all_finite(model: nn.Module) -> bool:
    """Whether all weights and statistics are numbers."""
    return bool(torch.stack([value.isfinite().all() for value in model.state_dict().values()]).all())


def _gather(value: Any, world: int) -> list[Any]:
    """The values of all processes."""
    if world == 1:
        return [value]
    values: list[Any] = [None] * world
    distributed.all_gather_object(values, value)
    return values
