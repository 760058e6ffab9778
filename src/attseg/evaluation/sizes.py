"""How well regions of each size are segmented: IoU by the area of connected regions, as a meter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attseg import metrics
from attseg.data.classes import IGNORE, ClassTable
from attseg.data.regions import Regions, find_regions
from attseg.data.sample import Array, Sample
from attseg.evaluation.counts import Counts
from attseg.metrics import none_if_nan

BOUNDS = (16**2, 32**2, 96**2)
"""Areas in pixels between sizes; the last two are COCO's."""

Integers = npt.NDArray[np.int64]


def size_counts(prediction: Array, labels: Array, num_classes: int, bounds: Sequence[int] = BOUNDS) -> Integers:
    """(B, K, 4) Hits, misses and false pixels of the regions of each size and class, and how many regions there are.

    Each labelled pixel belongs to its region, the connected pixels of one class, and is a hit or a miss. Each pixel that is
    wrongly predicted as a class is a false one of the region that its predicted region has most in common with; of a predicted
    region that has nothing in common with any of its class, all pixels count as false at its own size. So hits, misses and false
    pixels, added up over the sizes, are those of the confusion matrix.

    Args:
        prediction: (H, W) classes; what they are where the label is ignored does not matter.
        labels: (H, W) classes, and 255 where ignored.
        num_classes: Classes K.
        bounds: Areas that begin a new size, growing; B is one more.
    """
    labelled = find_regions(labels)
    predicted = find_regions(np.where(labels == IGNORE, np.uint8(IGNORE), prediction))
    right = (labels == prediction) & (labels != IGNORE)
    wrong = (labels != prediction) & (labels != IGNORE)
    hits = np.bincount(labelled.ids[right], minlength=len(labelled.areas))
    false = np.bincount(predicted.ids[wrong], minlength=len(predicted.areas))
    sizes = np.digitize(labelled.areas, bounds)
    false_sizes = np.digitize(predicted.areas, bounds)
    partners = _partners(labelled, predicted, right)
    met = partners >= 0
    false_sizes[met] = sizes[partners[met]]

    counts = np.zeros((len(bounds) + 1, num_classes, 4), np.int64)
    real = labelled.values != IGNORE
    place = sizes[real], labelled.values[real]
    np.add.at(counts, (*place, 0), hits[real])
    np.add.at(counts, (*place, 1), (labelled.areas - hits)[real])
    np.add.at(counts, (*place, 3), 1)
    real = predicted.values != IGNORE
    np.add.at(counts, (false_sizes[real], predicted.values[real], 2), false[real])
    return counts


class SizeMeter:
    """IoU of the regions of each size.

    Args:
        classes: Names of the classes.
        bounds: Areas in pixels that begin a new size, growing.
    """

    name = "sizes"
    needs_scores = False

    def __init__(self, classes: ClassTable, *, bounds: Sequence[int] = BOUNDS) -> None:
        self.classes = classes
        self.bounds = tuple(bounds)

    def count(self, sample: Sample, prediction: Array, scores: Tensor | None) -> Counts:
        """The counts of a picture: ``counts`` (B, K, 4)."""
        return {"counts": torch.from_numpy(size_counts(prediction, sample.labels, len(self.classes), self.bounds))}

    def result(self, counts: Counts) -> dict[str, Any]:
        """One entry a size, the smallest first; means are over the classes that have regions of the size."""
        return {
            "sizes": [
                self._entry(low, high, one)
                for low, high, one in zip(
                    (1, *self.bounds), (*self.bounds, None), counts["counts"].numpy(), strict=True
                )
            ]
        }

    def _entry(self, low: int, high: int | None, counts: Integers) -> dict[str, Any]:
        hits, misses, false, regions = counts.T
        labelled, all_pixels = hits + misses, hits + misses + false
        nothing = np.full(len(hits), np.nan)
        ious = np.divide(hits, all_pixels, out=nothing.copy(), where=labelled > 0)
        found = np.divide(hits, labelled, out=nothing.copy(), where=labelled > 0)
        return {
            "from": low,
            "below": high,
            "regions": int(regions.sum()),
            "pixels": int(labelled.sum()),
            "miou": none_if_nan(metrics.mean_present(ious)),
            "found": none_if_nan(metrics.mean_present(found)),
            "iou_per_class": {n: none_if_nan(float(v)) for n, v in zip(self.classes.names, ious, strict=True)},
        }


def _partners(labelled: Regions, predicted: Regions, right: npt.NDArray[np.bool_]) -> Integers:
    """(R,) For each predicted region the labelled one of its class that it has most pixels in common with; -1 for none."""
    width = len(labelled.areas)
    pairs, common = np.unique(predicted.ids[right] * width + labelled.ids[right], return_counts=True)
    ours, theirs = np.divmod(pairs, width)
    partners = np.full(len(predicted.areas), -1, np.int64)
    order = np.lexsort((-theirs, common))  # the best comes last, of equally good ones the first region
    partners[ours[order]] = theirs[order]
    return partners
