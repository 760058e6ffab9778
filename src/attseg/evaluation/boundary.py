"""How sharp contours are: boundary IoU, mIoU in bands around boundaries, and the F-score of contours, as one meter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attseg import metrics
from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sample import Array, Sample
from attseg.evaluation.contours import Matches, f_score, find_contours, match_contours
from attseg.evaluation.counts import Counts
from attseg.evaluation.windows import differs_within, near_border
from attseg.metrics import none_if_nan

RATIO = 0.02
WIDTHS = (1, 2, 4, 8, 16, 32)
TOLERANCES = (1, 3, 5, 9, 12)

Integers = npt.NDArray[np.int64]


def boundary_reach(height: int, width: int, ratio: float = RATIO) -> int:
    """Pixels from a boundary that boundary IoU looks at: a share of the diagonal, at least 1.

    Example:
        >>> boundary_reach(1024, 2048), boundary_reach(20, 20)
        (46, 1)
    """
    return max(1, round(ratio * math.hypot(height, width)))


def boundary_overlap(prediction: Array, labels: Array, num_classes: int, *, ratio: float = RATIO) -> Integers:
    """(3, K) Pixels of each class near its own boundary: in both maps, in the labels, in the prediction.

    A pixel of a class is near where another class, or the outside of the picture, is at most ``boundary_reach`` rows and columns
    away: what so many erosions by a square of 3 x 3 take from the mask.

    Args:
        prediction: (H, W) classes; what they are where the label is ignored does not matter.
        labels: (H, W) classes, and 255 where ignored.
        num_classes: Classes K.
        ratio: Share of the diagonal.

    Source:
        Cheng, Girshick, Dollar, Berg, Kirillov: Boundary IoU: Improving Object-Centric Image Segmentation Evaluation, CVPR 2021,
        section 4.

    Reading:
        The paper speaks of one mask. Here each class of a picture is a mask, and pixels are added up over all pictures, as in
        mIoU. Ignored pixels are neither inside nor outside of any mask.
    """
    prediction = _seen(prediction, labels)
    height, width = labels.shape
    reach = boundary_reach(height, width, ratio)
    border = near_border(height, width, reach)
    label_near = (differs_within(labels, reach) | border) & (labels != IGNORE)
    prediction_near = (differs_within(prediction, reach) | border) & (prediction != IGNORE)
    both = label_near & prediction_near & (labels == prediction)
    parts = (labels[both], labels[label_near], prediction[prediction_near])
    return np.stack([np.bincount(part, minlength=num_classes) for part in parts])


def trimap_counts(prediction: Array, labels: Array, num_classes: int, widths: Sequence[int] = WIDTHS) -> Integers:
    """(W, K, K) The confusion matrix of the pixels that have another labelled class at most so many rows and columns away.

    Args:
        prediction: (H, W) classes.
        labels: (H, W) classes, and 255 where ignored.
        num_classes: Classes K.
        widths: Of the bands, to each side of a boundary, in pixels.

    Source:
        Kohli, Ladicky, Torr: Robust higher order potentials for enforcing label consistency, IJCV 2009, section 6 (the trimap).
    """
    pairs = labels.astype(np.int64) * num_classes + prediction
    size = num_classes * num_classes
    bands = [np.bincount(pairs[differs_within(labels, width)], minlength=size) for width in widths]
    return np.stack(bands).reshape(len(widths), num_classes, num_classes)


class BoundaryMeter:
    """Boundary IoU, the trimap curve and the F-score of contours.

    Args:
        classes: Names of the classes.
        widths: Of the bands of the trimap curve, in pixels to each side.
        tolerances: Of the F-score, in pixels.
    """

    name = "boundary"
    needs_scores = False

    def __init__(
        self, classes: ClassTable, *, widths: Sequence[int] = WIDTHS, tolerances: Sequence[int] = TOLERANCES
    ) -> None:
        self.classes = classes
        self.widths = tuple(widths)
        self.tolerances = tuple(tolerances)

    def count(self, sample: Sample, prediction: Array, scores: Tensor | None) -> Counts:
        """The counts of a picture: ``overlap``, ``trimap``, and the contour pixels of ``label`` and ``prediction``."""
        labels, k = sample.labels, len(self.classes)
        lines = {"label": find_contours(labels), "prediction": find_contours(_seen(prediction, labels))}
        counts = {
            "overlap": boundary_overlap(prediction, labels, k),
            "trimap": trimap_counts(prediction, labels, k, self.widths),
        }
        for one, other in (("label", "prediction"), ("prediction", "label")):
            matches = match_contours(lines[one], lines[other], self.tolerances, k)
            counts[one], counts[f"{one} matched"] = matches
        return {name: torch.from_numpy(count) for name, count in counts.items()}

    def result(self, counts: Counts) -> dict[str, Any]:
        """Scores in [0, 1], None where there is none."""
        both, label, prediction = counts["overlap"].numpy()
        union = label + prediction - both
        ious = np.divide(both, union, out=np.full(len(both), np.nan), where=union > 0)
        label_lines, prediction_lines = (
            Matches(counts[name].numpy(), counts[f"{name} matched"].numpy()) for name in ("label", "prediction")
        )
        scores = f_score(label_lines, prediction_lines)
        bands = counts["trimap"].numpy()
        return {
            "iou": none_if_nan(metrics.mean_present(ious)),
            "iou_per_class": self._by_name(ious),
            "trimap": [
                {"width": width, "miou": none_if_nan(_labelled_miou(band)), "pixels": int(band.sum())}
                for width, band in zip(self.widths, bands, strict=True)
            ],
            "f_score": [
                {
                    "tolerance": tolerance,
                    "f_score": none_if_nan(metrics.mean_present(each)),
                    "per_class": self._by_name(each),
                }
                for tolerance, each in zip(self.tolerances, scores, strict=True)
            ],
        }

    def _by_name(self, values: metrics.Floats) -> dict[str, float | None]:
        return {name: none_if_nan(float(value)) for name, value in zip(self.classes.names, values, strict=True)}


def _seen(prediction: Array, labels: Array) -> Array:
    """The prediction without the pixels whose label is ignored."""
    return np.where(labels == IGNORE, np.uint8(IGNORE), prediction)


def _labelled_miou(counts: Integers) -> float:
    """Mean IoU over the classes that are labelled in a band."""
    return metrics.mean_present(metrics.iou(counts)[counts.sum(1) > 0])
