"""Class balancing: sampling probabilities of images, and class weights of the loss."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from attseg.data.sample import SegmentationData, check_sample
from attseg.errors import UsageError

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def count_labels(data: SegmentationData) -> Counts:
    """(N, K + 1) Pixels of each class in each picture; in the last column those that are ignored. Every label is read once."""
    classes = len(data.classes)

    def count(index: int) -> Counts:
        values = np.bincount(check_sample(data[index], classes, data.name(index)).labels.ravel(), minlength=256)
        return np.append(values[:classes], values[classes:].sum())

    with ThreadPoolExecutor() as pool:
        counts = list(pool.map(count, range(len(data))))
    return np.array(counts, np.int64).reshape(len(data), classes + 1)


def class_balanced(counts: Counts) -> Floats:
    """(N,) The chance of each picture if a class is drawn first, then one of its pixels: the picture is the one that holds it.

    All classes that occur are equally likely, and of the pictures that hold a class those with much of it are. A picture without
    any labelled pixel is never drawn. Where a class lies in one picture only, that one is drawn as often as all pictures of a
    class that lies in many: for such data sets weights in the loss (``class_weights``) are the milder means.

    Args:
        counts: As from ``count_labels``.

    Raises:
        UsageError: No pixel has a label.

    Reading:
        The papers draw all pictures equally often. Drawing the class first, and then any picture that holds it, is the usual
        scheme elsewhere; on street scenes, where most pictures hold most classes, it changes next to nothing.

    Example:
        >>> class_balanced(np.array([[80, 0, 20], [80, 0, 20], [40, 60, 0]])).round(2).tolist()
        [0.2, 0.2, 0.6]
    """
    pixels = counts[:, :-1]
    totals = pixels.sum(axis=0)
    present = totals > 0
    if not present.any():
        raise UsageError(
            "sampling is class-balanced, but no picture of the training split has a labelled pixel; look at it with "
            "`attseg data check`"
        )
    return (pixels[:, present] / totals[present]).mean(axis=1)


def median_frequency(counts: Counts) -> Floats:
    """(K,) factor of each class in the loss: the median of the frequencies of all classes over its own.

    The frequency of a class is its share of the pixels of the images that contain it. Classes that never occur get 1.

    Args:
        counts: As from ``count_labels``, of the training split.

    Source:
        Badrinarayanan et al., SegNet, section 4.

    Example:
        >>> median_frequency(np.array([[80, 20, 0, 0], [0, 0, 0, 0]])).tolist()
        [0.625, 2.5, 1.0]
    """
    pixels = counts[:, :-1].sum(axis=0)
    around = (counts[:, :-1] > 0).T @ counts.sum(axis=1)
    present = pixels > 0
    frequency = pixels[present] / around[present]
    weights = np.ones(len(pixels))
    weights[present] = np.median(frequency) / frequency
    return weights
