"""Checkpoints of a run: the best weights on the validation split, the last weights, and states to resume from."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from torch import distributed

from attseg.checkpoint import save_weights
from attseg.data.sample import SegmentationData
from attseg.evaluation.identity import describe_data
from attseg.evaluation.run import evaluate
from attseg.files import replacing
from attseg.recipes.values import to_values
from attseg.runs.folder import RunFolder
from attseg.runs.state import save_state
from attseg.training.learner import Learner
from attseg.training.progress import ProgressLine


@dataclass
class Keeper:
    """Evaluates and saves a network that is being trained. The first process alone writes.

    Args:
        learner: The network and what trains it.
        val: The split to evaluate on.
        folder: Where files go.
        best: mIoU of best.safetensors; below 0 where there is none.
    """

    learner: Learner
    val: SegmentationData
    folder: RunFolder
    best: float = -1.0

    def evaluate(self, line: ProgressLine) -> dict[str, float]:
        """Evaluate as ``attseg evaluate`` does, and keep the weights if they are the best so far.

        Args:
            line: Shows the progress and the result.

        Returns:
            The scores of the log, by name.
        """
        learner, plan, recipe, step = self.learner, self.learner.plan, self.learner.recipe, self.learner.step
        if plan.world > 1:  # each process has its own batch statistics
            for buffer in (*learner.model.buffers(), *learner.averaged.buffers()):
                distributed.broadcast(buffer, 0)
        report = evaluate(
            learner.averaged,
            self.val,
            learner.preprocessing,
            device=learner.fabric.device,
            workers=plan.workers if plan.device == "cuda" else 0,
            rank=plan.rank,
            world=plan.world,
            on_picture=lambda done, total, sample, prediction: line.evaluation(done, total),
        )
        learner.train_mode()
        if math.isnan(report.miou):
            line.say(f"step {step}: no mIoU, since no pixel of the split {self.val.split!r} counts")
            return {}
        better = report.miou > self.best
        if better:
            self.best = report.miou
        if better and plan.rank == 0:
            self._write_weights(self.folder.best, miou=self.best)
            spec = recipe.data
            about = {"recipe": recipe.name, "seed": recipe.seed, "step": step}
            about |= describe_data(spec.name, spec.root, spec.options, self.val)
            with replacing(self.folder.report) as file:
                file.write(json.dumps(report.to_dict() | about).encode() + b"\n")
        line.say(f"step {step}: mIoU {100 * report.miou:.2f} %{', the best so far' if better else ''}")
        return {"miou": report.miou, "pixel_accuracy": report.pixel_accuracy}

    def save(self) -> None:
        """Write last.safetensors and a state to resume from."""
        if self.learner.plan.rank == 0:
            self._write_weights(self.folder.last)
            save_state(self.folder.state, self.learner.step, self.learner.state_dict() | {"best": self.best})

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
