"""The report of an evaluation: counts, and every score derived from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attseg import metrics
from attseg.data.classes import ClassTable
from attseg.metrics import Counts, Floats, none_if_nan
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE


@dataclass(frozen=True, eq=False)
class Report:
    """The result of one evaluation.

    Args:
        classes: Names of the classes.
        counts: (K, K) pixels by label (rows) and prediction (columns).
        pictures: How many pictures were counted.
        ignored: Pixels whose label is 255.
        protocol: How each picture was seen.
        probes: Counts (K, K) of the pixels of each difficulty alone, where the data set names them.
        meters: What further meters found, plain values by the meter's name.
    """

    classes: ClassTable
    counts: Counts
    pictures: int
    ignored: int = 0
    protocol: Protocol = SINGLE
    probes: Mapping[str, Counts] = field(default_factory=dict)
    meters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Report(mIoU {self.miou:.4f}, {len(self.classes)} classes, {self.pictures} images)"

    @property
    def iou(self) -> Floats:
        """(K,) Intersection over union of each class in [0, 1]; nan where a class is absent."""
        return metrics.iou(self.counts)

    @property
    def miou(self) -> float:
        """Mean IoU over the classes that are not absent, in [0, 1]."""
        return metrics.mean_present(self.iou)

    @property
    def pixel_accuracy(self) -> float:
        """Share of right pixels, in [0, 1]."""
        return metrics.pixel_accuracy(self.counts)

    @property
    def mean_accuracy(self) -> float:
        """Share of right pixels of each labelled class, averaged."""
        return metrics.mean_present(metrics.class_accuracy(self.counts))

    @property
    def frequency_weighted_iou(self) -> float:
        """IoU weighted with the labelled pixels of each class."""
        return metrics.frequency_weighted_iou(self.counts)

    @property
    def absent(self) -> list[str]:
        """Names of the classes that are neither labelled nor predicted anywhere; they count in no mean."""
        return [name for name, value in zip(self.classes.names, self.iou, strict=True) if math.isnan(value)]

    def probe_miou(self, name: str) -> float:
        """Mean IoU over the pixels of one difficulty, and over the classes labelled among them.

        Classes that only wrong predictions bring in have no pixel there to be right about, and would add zeros.
        """
        counts = self.probes[name]
        return metrics.mean_present(metrics.iou(counts)[counts.sum(1) > 0])

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; scores in [0, 1], null where there is none."""
        return {
            "miou": none_if_nan(self.miou),
            "pixel_accuracy": none_if_nan(self.pixel_accuracy),
            "mean_accuracy": none_if_nan(self.mean_accuracy),
            "frequency_weighted_iou": none_if_nan(self.frequency_weighted_iou),
            "per_class": {n: none_if_nan(float(v)) for n, v in zip(self.classes.names, self.iou, strict=True)},
            "absent": self.absent,
            "probes": {
                name: {
                    "miou": none_if_nan(self.probe_miou(name)),
                    "pixel_accuracy": none_if_nan(metrics.pixel_accuracy(counts)),
                    "pixels": int(counts.sum()),
                }
                for name, counts in self.probes.items()
            },
            "meters": {name: dict(values) for name, values in self.meters.items()},
            "protocol": self.protocol.to_dict(),
            "pictures": self.pictures,
            "pixels": int(self.counts.sum()),
            "ignored_pixels": self.ignored,
            "counts": self.counts.tolist(),
        }
