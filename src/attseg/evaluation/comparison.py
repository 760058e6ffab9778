"""Two models on the same pictures: by how much each class moved, and on which pictures they differ most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from attseg.errors import UsageError
from attseg.evaluation.bootstrap import DRAWS, LEVEL, Floats, Integers, Interval, class_parts, ious_of, paired_intervals
from attseg.evaluation.kept import KeptCounts
from attseg.evaluation.meter import ConfusionMeter
from attseg.evaluation.stages import counts_of
from attseg.metrics import none_if_nan


@dataclass(frozen=True)
class Change:
    """A picture on which two models differ.

    Args:
        index: Of the picture in the split.
        name: Of the picture.
        before: Share of right pixels of the one that is compared with.
        after: Share of right pixels of the model.
    """

    index: int
    name: str
    before: float
    after: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """A model against another.

    Args:
        names: Of the classes.
        before: (1 + K,) The mIoU of the one that is compared with, and its IoU of each class.
        after: (1 + K,) The same of the model.
        miou: What the model gained, with the interval of what it gains on drawn splits.
        classes: The same of each class.
        changes: All pictures, those that differ most in their share of right pixels first.
        block: Pictures that were drawn together for the intervals.
    """

    names: tuple[str, ...]
    before: Sequence[float]
    after: Sequence[float]
    miou: Interval
    classes: list[Interval]
    changes: list[Change]
    block: int = 1

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; scores in [0, 1], null where there is none."""
        columns = zip((None, *self.names), self.before, self.after, (self.miou, *self.classes), strict=True)
        rows = {
            name: {"before": none_if_nan(before), "after": none_if_nan(after), "change": change.to_dict()}
            for name, before, after, change in columns
        }
        return {
            "miou": rows.pop(None),
            "per_class": rows,
            "draws": DRAWS,
            "level": LEVEL,
            "block": self.block,
            "pictures": [
                {"name": one.name, "before": none_if_nan(one.before), "after": none_if_nan(one.after)}
                for one in self.changes
            ],
        }


def picture_parts(kept: KeptCounts) -> Integers:
    """(N, 3, K) What IoU needs of each picture that is counted, in the order of the pictures."""
    meter = ConfusionMeter(1)
    return class_parts(counts_of(meter, counts)[meter.COUNTS].numpy() for counts in kept)


def compare(names: Sequence[str], after: KeptCounts, before: KeptCounts, *, block: int = 1) -> Comparison:
    """Compare what was counted of a model with what was counted of another.

    Args:
        names: Of the classes.
        after: Of the model.
        before: Of the one that it is compared with.
        block: Pictures that are drawn together, as for ``miou_interval``.

    Raises:
        UsageError: The pictures differ, or there are fewer than two blocks of them.
    """
    if before.names != after.names:
        raise UsageError(
            f"{after.path} and {before.path} count other pictures; evaluate both models on the same split of the same data"
        )
    one, other = picture_parts(before), picture_parts(after)
    miou, classes = paired_intervals(one, other, block=block)
    return Comparison(
        tuple(names), _scores(one), _scores(other), miou, classes, _changes(after.names, one, other), block
    )


def _scores(parts: Integers) -> list[float]:
    """The mIoU, and the IoU of each class."""
    ious = ious_of(parts.sum(0))
    present = ious[~np.isnan(ious)]
    return [float(present.mean()) if len(present) else float("nan"), *ious.tolist()]


def _changes(names: Mapping[int, str], before: Integers, after: Integers) -> list[Change]:
    shares = [_share_right(parts) for parts in (before, after)]
    changes = [
        Change(index, names[index], float(one), float(other))
        for index, one, other in zip(sorted(names), *shares, strict=True)
    ]
    return sorted(changes, key=lambda change: -abs(np.nan_to_num(change.after - change.before)))


def _share_right(parts: Integers) -> Floats:
    """(N,) Share of right pixels of each picture; nan where nothing is labelled."""
    labelled = parts[:, 1].sum(1)
    return np.divide(parts[:, 0].sum(1), labelled, out=np.full(len(parts), np.nan), where=labelled > 0)
