"""Checkpoints of a run: the best weights on the validation split, the last weights, and states to resume from."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
from torch import distributed

from attseg.checkpoint import save_weights
from attseg.data.sample import Array, First, Sample, SegmentationData
from attseg.evaluation.identity import describe_data
from attseg.evaluation.log_loss import LogLossMeter
from attseg.evaluation.plots import samples_page
from attseg.evaluation.report import Report
from attseg.evaluation.run import OnPicture, evaluate
from attseg.files import replacing
from attseg.recipes.values import to_values
from attseg.runs.folder import RunFolder
from attseg.runs.pictures import SAMPLES
from attseg.runs.progress import ProgressLine
from attseg.runs.state import State, save_state
from attseg.training.learner import Learner


@dataclass
class Keeper:
    """Evaluates and saves a network that is being trained. The first process alone writes.

    Args:
        learner: The network and what trains it.
        val: The split to evaluate on.
        folder: Where files go.
        best: mIoU of best.safetensors; below 0 where there is none.
        more: Further values of each saved state.
        shown: Image, labels and prediction of some samples of the last evaluation.
    """

    learner: Learner
    val: SegmentationData
    folder: RunFolder
    best: float = -1.0
    more: dict[str, str | None] = field(default_factory=dict)
    shown: list[tuple[Array, Array, Array]] = field(default_factory=list)

    def load_state_dict(self, state: State) -> None:
        """Go on from a saved state."""
        self.best = -1.0 if math.isnan(state["best"]) else state["best"]

    def evaluate(self, line: ProgressLine) -> dict[str, float]:
        """Evaluate as ``attseg evaluate`` does, and keep the weights if they are the best so far.

        Args:
            line: Shows the progress and the result.

        Returns:
            The scores of the log, by name.
        """
        learner, recipe, step = self.learner, self.learner.recipe, self.learner.step
        self.shown = []

        def on_picture(done: int, total: int, sample: Sample, prediction: Array) -> None:
            line.evaluation(done, total)
            if done - 1 in np.linspace(0, total - 1, SAMPLES).round():
                self.shown.append((sample.image, sample.labels, prediction))

        report = self._report(self.val, on_picture)
        if math.isnan(report.miou):
            line.say(f"step {step}: no mIoU, since no pixel of the split {self.val.split!r} counts")
            return {}
        better = report.miou > self.best
        if better:
            self.best = report.miou
        if better and learner.plan.rank == 0:
            self._write_weights(self.folder.best, miou=self.best)
            spec = recipe.data
            about = {"recipe": recipe.name, "seed": recipe.seed, "step": step}
            about |= describe_data(spec.name, spec.root, spec.options, self.val)
            with replacing(self.folder.report) as file:
                file.write(json.dumps(report.to_dict() | about).encode() + b"\n")
        line.say(f"step {step}: mIoU {100 * report.miou:.2f} %{', the best so far' if better else ''}")
        named = zip(report.classes.names, report.iou.tolist(), strict=True)
        return {
            "miou": report.miou,
            "pixel_accuracy": report.pixel_accuracy,
            "val_loss": report.meters[LogLossMeter.name]["mean"],
        } | {f"iou/{name}": value for name, value in named if not math.isnan(value)}

    def time_evaluation(self, images: int = SAMPLES) -> float:
        """Seconds that an evaluation takes, from that of a few images by each process."""
        few = First(self.val, self.learner.plan.world * images)
        for _ in range(2):  # the first one allocates memory
            began = perf_counter()
            self._report(few)
        return (perf_counter() - began) * len(self.val) / len(few)

    def samples(self) -> Array | None:
        """Samples of the last evaluation as a picture (H, W, 3); None where there was none."""
        return np.asarray(samples_page(self.shown, self.val.classes)) if self.shown else None

    def save(self, **more: float) -> None:
        """Write last.safetensors and a state to resume from, with further numbers."""
        if self.learner.plan.rank == 0:
            self._write_weights(self.folder.last)
            save_state(
                self.folder.state, self.learner.step, self.learner.state_dict() | {"best": self.best} | self.more | more
            )

    def _report(self, data: SegmentationData, on_picture: OnPicture | None = None) -> Report:
        learner, plan = self.learner, self.learner.plan
        if plan.world > 1:  # each process has its own batch statistics
            for buffer in (*learner.model.buffers(), *learner.averaged.buffers()):
                distributed.broadcast(buffer, 0)
        report = evaluate(
            learner.averaged,
            data,
            learner.preprocessing,
            meters=[LogLossMeter()],
            device=learner.fabric.device,
            workers=plan.workers if plan.device == "cuda" else 0,
            rank=plan.rank,
            world=plan.world,
            on_picture=on_picture,
        )
        learner.train_mode()
        return report

    def _write_weights(self, path: Path, **scores: float) -> None:
        recipe, encoder_weights = self.learner.recipe, self.learner.encoder_weights
        info = {"recipe": to_values(recipe), "step": self.learner.step, "seed": recipe.seed, **scores}
        if encoder_weights is not None:
            info["encoder_weights"] = encoder_weights
        save_weights(
            path,
            self.learner.averaged.state_dict(),
            model=recipe.model,
            classes=self.val.classes,
            preprocessing=self.learner.preprocessing,
            info=info,
        )
