"""Connected regions of one value in a label map, in array operations alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from attseg.data.sample import Array

Integers = npt.NDArray[np.int64]


class Regions(NamedTuple):
    """The regions of a label map.

    Args:
        ids: (H, W) the number of each pixel's region, counted from the top left.
        values: (R,) what the pixels of each region have as a label.
        areas: (R,) how many pixels each region has.
    """

    ids: Integers
    values: Array
    areas: Integers


def find_regions(labels: Array) -> Regions:
    """Regions of one label; pixels that touch at a corner are connected too.

    Runs of equal pixels in rows are joined where runs in neighbouring rows touch.

    Example:
        >>> find_regions(np.array([[1, 0], [0, 1]], np.uint8)).areas.tolist()
        [2, 2]
    """
    starts = np.ones(labels.shape, np.bool_)
    starts[:, 1:] = labels[:, 1:] != labels[:, :-1]
    runs = starts.cumsum().reshape(labels.shape) - 1
    roots = _join(int(runs[-1, -1]) + 1, _touching(labels, starts, runs))
    numbers, ids = np.unique(roots, return_inverse=True)
    return Regions(
        ids[runs],
        labels[starts][numbers],
        np.bincount(ids, np.diff(np.flatnonzero(starts), append=labels.size)).astype(np.int64),
    )


def _touching(labels: Array, starts: npt.NDArray[np.bool_], runs: Integers) -> Integers:
    """(2, E) Pairs of runs of one label that touch, at least one a touch.

    Runs that overlap do so first where one of them starts. Of runs that only touch at a corner, the right one starts there.
    """
    above, below = labels[:-1], labels[1:]
    straight = (above == below) & (starts[:-1] | starts[1:])
    falling = (above[:, :-1] == below[:, 1:]) & starts[1:, 1:]
    rising = (above[:, 1:] == below[:, :-1]) & starts[:-1, 1:]
    upper = (runs[:-1][straight], runs[:-1, :-1][falling], runs[:-1, 1:][rising])
    lower = (runs[1:][straight], runs[1:, 1:][falling], runs[1:, :-1][rising])
    return np.stack((np.concatenate(upper), np.concatenate(lower)))


def _join(count: int, pairs: Integers) -> Integers:
    """(count,) The smallest number of what each is joined with, directly or over others."""
    roots = np.arange(count)
    while True:
        one, other = roots[pairs]
        if np.array_equal(one, other):
            return roots
        smaller = np.minimum(one, other)
        np.minimum.at(roots, one, smaller)
        np.minimum.at(roots, other, smaller)
        while not np.array_equal(shorter := roots[roots], roots):
            roots = shorter
