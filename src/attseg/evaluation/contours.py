"""Contours of classes, and how many of their pixels lie near a contour of the same class in another label map.

Source:
    Csurka, Larlus, Perronnin: What is a good evaluation measure for semantic segmentation?, BMVC 2013, section 3: precision and
    recall of contour pixels up to a distance, for each class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from attseg.data.classes import IGNORE
from attseg.data.sample import Array

Integers = npt.NDArray[np.int64]


class Contours(NamedTuple):
    """Pixels of the contours in a label map, ordered by class, row and column."""

    classes: Integers
    rows: Integers
    columns: Integers


class Matches(NamedTuple):
    """How many contour pixels there are, and how many are matched.

    Args:
        total: (K,) of each class.
        matched: (T, K) those with a pixel of the other contour of the same class within each tolerance.
    """

    total: Integers
    matched: Integers


def find_contours(labels: Array) -> Contours:
    """The pixels that have another class above, below, left or right.

    Ignored pixels and the border of the picture are no other class. So where a ring of ignored pixels keeps all classes apart, as
    in PASCAL VOC, labels have no contours.
    """
    on = np.zeros(labels.shape, np.bool_)
    for one, other in (((slice(1, None),), (slice(-1),)), ((slice(None), slice(1, None)), (slice(None), slice(-1)))):
        first, second = labels[one], labels[other]
        differs = (first != second) & (first != IGNORE) & (second != IGNORE)
        on[one] |= differs
        on[other] |= differs
    rows, columns = np.nonzero(on)
    classes = labels[rows, columns].astype(np.int64)
    order = np.argsort(classes, kind="stable")
    return Contours(classes[order], rows[order], columns[order])


def match_contours(contours: Contours, others: Contours, tolerances: Sequence[int], num_classes: int) -> Matches:
    """Which pixels of contours have one of the other contours near, by Euclidean distance.

    Every row within reach is searched for the nearest pixel, for all pixels and classes at once.

    Args:
        contours: Whose pixels are counted.
        others: Where each looks for a pixel of its class.
        tolerances: Distances in pixels, up to which a pixel is matched.
        num_classes: Classes K.
    """
    squared = _squared_distances(contours, others, max(tolerances))
    total = np.bincount(contours.classes, minlength=num_classes)
    near = [np.bincount(contours.classes[squared <= t * t], minlength=num_classes) for t in tolerances]
    return Matches(total, np.stack(near))


def f_score(label: Matches, prediction: Matches) -> npt.NDArray[np.float64]:
    """(T, K) Harmonic mean of precision and recall of contour pixels; nan where a class has no contour in either map.

    Example:
        >>> label = Matches(np.array([4]), np.array([[2]]))
        >>> f_score(label, Matches(np.array([2]), np.array([[2]]))).tolist()  # precision 1, recall 1/2
        [[0.6666666666666666]]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(label.total > 0, label.matched / label.total, 0)
        precision = np.where(prediction.total > 0, prediction.matched / prediction.total, 0)
        scores = np.where(precision + recall > 0, 2 * precision * recall / (precision + recall), 0)
    return np.where((label.total + prediction.total) > 0, scores, np.nan)


def _squared_distances(contours: Contours, others: Contours, reach: int) -> Integers:
    """(N,) To the nearest pixel of the same class; larger than ``reach`` squared where there is none within reach."""
    found = np.full(len(contours.rows), 4 * reach * reach + 1, np.int64)
    if not len(others.rows) or not len(contours.rows):
        return found
    # so that rows stay out of each other's reach
    row = int(max(contours.columns.max(), others.columns.max())) + 2 * reach + 2
    rows = int(max(contours.rows.max(), others.rows.max())) + 2 * reach + 2
    wanted, there = ((one.classes * rows + one.rows + reach) * row + one.columns for one in (contours, others))
    for down in range(-reach, reach + 1):
        places = wanted + down * row
        after = np.searchsorted(there, places)
        right = np.abs(there[np.minimum(after, len(there) - 1)] - places)
        left = np.abs(places - there[np.maximum(after - 1, 0)])
        along = np.minimum(np.minimum(left, right), 2 * reach)
        np.minimum(found, along * along + down * down, out=found)
    return found
