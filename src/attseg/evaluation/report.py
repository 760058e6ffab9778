"""The report of an evaluation: counts, and every score derived from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attseg import metrics
from attseg.data.classes import ClassTable
from attseg.errors import UsageError, unknown
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
        excluded: Names of classes that ``miou_without`` leaves out.

    Raises:
        UsageError: There is no such class, or no other one is left.
    """

    classes: ClassTable
    counts: Counts
    pictures: int
    ignored: int = 0
    protocol: Protocol = SINGLE
    probes: Mapping[str, Counts] = field(default_factory=dict)
    meters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    excluded: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_excluded(self.excluded, self.classes)

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
    def miou_without(self) -> float:
        """Mean IoU over the classes that are neither absent nor excluded; their pixels count in the IoU of the others."""
        kept = [name not in self.excluded for name in self.classes.names]
        return metrics.mean_present(self.iou[kept])

    @property
    def precision(self) -> Floats:
        """(K,) Share of the pixels predicted as each class that are of it; nan where a class is never predicted."""
        return metrics.precision(self.counts)

    @property
    def recall(self) -> Floats:
        """(K,) Share of the labelled pixels of each class that were found; nan where a class has none."""
        return metrics.class_accuracy(self.counts)

    @property
    def f1(self) -> Floats:
        """(K,) Harmonic mean of precision and recall; nan where a class is absent."""
        return metrics.f1(self.counts)

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

    @property
    def per_class(self) -> dict[str, float | None]:
        """IoU by the name of the class; None of a class that is neither labelled nor predicted."""
        return self._by_class(self.iou)

    def _by_class(self, values: Floats) -> dict[str, float | None]:
        return {name: none_if_nan(float(value)) for name, value in zip(self.classes.names, values, strict=True)}

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; scores in [0, 1], null where there is none."""
        return {
            "miou": none_if_nan(self.miou),
            "pixel_accuracy": none_if_nan(self.pixel_accuracy),
            "mean_accuracy": none_if_nan(self.mean_accuracy),
            "frequency_weighted_iou": none_if_nan(self.frequency_weighted_iou),
            "per_class": self.per_class,
            **{f"{name}_per_class": self._by_class(getattr(self, name)) for name in ("precision", "recall", "f1")},
            **(
                {"miou_without": {"excluded": list(self.excluded), "miou": none_if_nan(self.miou_without)}}
                if self.excluded
                else {}
            ),
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


def check_excluded(names: Sequence[str], classes: ClassTable) -> None:
    """Refuse to exclude what is not there, or everything.

    Raises:
        UsageError: The message names the nearest class.
    """
    for name in names:
        if name not in classes.names:
            raise unknown("class", name, classes.names)
    if set(names) == set(classes.names):
        raise UsageError(f"all {len(classes)} classes are excluded; leave one to measure")
