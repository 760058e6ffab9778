"""Accuracy cost of int8: mIoU of the network and of its file on the same labelled images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attseg.data.sample import SegmentationData
from attseg.evaluation.run import evaluate
from attseg.inference.segmenter import Segmenter, load

MOST = 1.0
"""Points of mIoU that may be lost."""


@dataclass(frozen=True)
class Drop:
    """mIoU before and after, in [0, 1].

    Args:
        before: Of the network.
        after: Of the file.
        pictures: How many were measured.
        split: Which split.
    """

    before: float
    after: float
    pictures: int
    split: str

    @property
    def points(self) -> float:
        """Points of mIoU that were lost; below zero where some were won."""
        return 100 * (self.before - self.after)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "miou_before": self.before,
            "miou_after": self.after,
            "points_lost": self.points,
            "pictures": self.pictures,
            "split": self.split,
        }


def measure_drop(
    segmenter: Segmenter,
    path: Path,
    data: SegmentationData,
    *,
    on_picture: Callable[[int, int], None] | None = None,
) -> Drop:
    """Evaluate a network and its file on a split, each picture seen once and whole.

    Args:
        segmenter: The network.
        path: The file.
        data: The split, with labels.
        on_picture: Called after each picture with how many were seen, of twice as many as the split has.

    Raises:
        DataError: A picture or its labels cannot be read.
        UsageError: The file cannot take pictures of these sizes.
    """
    scores = []
    for side, one in enumerate((segmenter, load(path))):
        report = evaluate(
            one.model,
            data,
            one.preprocessing,
            device=one.device,
            on_picture=lambda done, total, *_, before=side: (
                on_picture(before * total + done, 2 * total) if on_picture else None
            ),
        )
        scores.append(report.miou)
    return Drop(scores[0], scores[1], len(data), data.split)
