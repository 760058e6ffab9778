"""Cross-entropy of the labels under the predicted probabilities, as a meter: the validation loss of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.data.sample import Array, Sample
from attseg.evaluation.counts import Counts

LEAST = 1e-12
"""Probability below which a pixel costs no more."""


class LogLossMeter:
    """Mean of ``-log p`` over the labelled pixels of the split, p being the probability of the label."""

    name = "cross-entropy"
    needs_scores = True

    def count(self, sample: Sample, prediction: Array, scores: Tensor | None) -> Counts:
        """The ``loss`` of a band, summed over its ``pixels``."""
        assert scores is not None  # a meter that needs them gets them
        labels = torch.from_numpy(np.ascontiguousarray(sample.labels)).to(scores.device)
        counted = labels != IGNORE
        chosen = scores.gather(0, labels.where(counted, 0).long()[None])[0]
        loss = -(chosen.clamp_min(LEAST).log() * counted).sum(dtype=torch.float64)
        return {"loss": loss.cpu(), "pixels": counted.sum().cpu()}

    def result(self, counts: Counts) -> dict[str, Any]:
        """The mean; None where no pixel is labelled."""
        pixels = int(counts["pixels"])
        return {"mean": float(counts["loss"]) / pixels if pixels else None}
