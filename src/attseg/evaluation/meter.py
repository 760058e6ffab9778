"""Meters that an evaluation can run beside its confusion matrix: anything whose counts add up over images.

A meter has no memory of its own. It turns a picture into counts; evaluation adds them up, over pictures and processes, keeps
them where it can be interrupted, and hands the sum back. So each meter is right on several processes and after a break.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.data.sample import Array, Sample
from attseg.evaluation.counts import Counts
from attseg.metrics import ConfusionMatrix

PIXELS = 2**22
"""Pixels that are counted at a time, because counting takes many bytes for each."""


class Meter(Protocol):
    """Something to count.

    Attributes:
        name: What its results are called in a report; also set before the names of its counts.
        needs_scores: Whether it needs the probabilities of all classes. Such a meter is called band by band, with the rows of the
            sample that are done, because the scores of a huge picture never stand at once; all others are called once a picture.
    """

    name: str
    needs_scores: bool

    def count(self, sample: Sample, prediction: Array, scores: Tensor | None) -> Counts:
        """Count a picture, or a band of one. Called in a thread of its own.

        Args:
            sample: The picture with its labels: classes 0..K-1, and 255 where ignored.
            prediction: (H, W) the predicted classes.
            scores: (K, H, W) probabilities on the device of the model, for a meter that needs them; else None.

        Returns:
            Tensors of int64 or float64 on the CPU that add up over bands and pictures. Names may differ from picture to picture.

        Raises:
            ValueError: The labels cannot be counted; evaluation names the picture.
        """
        ...

    def result(self, counts: Counts) -> dict[str, Any]:
        """Plain values for the report, from the sum over all pictures; names that no picture gave are missing."""
        ...


class ConfusionMeter:
    """The meter that every evaluation has: the confusion matrix, that of each probe, and the ignored pixels.

    Args:
        num_classes: Classes K.
    """

    name = "confusion"
    needs_scores = False
    COUNTS, IGNORED, PROBE = "counts", "ignored", "probe "

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes

    def count(self, sample: Sample, prediction: Array, scores: Tensor | None) -> Counts:
        """The counts of a picture: ``counts`` (K, K), ``ignored`` and, by name, ``probe NAME`` (K, K)."""
        counts = {self.COUNTS: self._confusion(prediction, sample.labels)}
        counts[self.IGNORED] = torch.tensor(int((sample.labels == IGNORE).sum()))
        for name, mask in (sample.probes or {}).items():
            labels = np.where(mask, sample.labels, np.uint8(IGNORE))
            counts[self.PROBE + name] = self._confusion(prediction, labels)
        return counts

    def result(self, counts: Counts) -> dict[str, Any]:
        """Nothing: the report itself makes scores of these counts."""
        return {}

    def _confusion(self, prediction: Array, labels: Array) -> Tensor:
        confusion = ConfusionMatrix(self.num_classes)
        rows = max(1, PIXELS // labels.shape[1])
        for top in range(0, len(labels), rows):
            confusion.update(prediction[top : top + rows], labels[top : top + rows])
        return confusion.counts
