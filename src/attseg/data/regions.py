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


def find_regions(labels: Array, *, corners: bool = True) -> Regions:
    """Regions of one label.

    Runs of equal pixels in rows are joined where runs in neighbouring rows touch.

    Args:
        labels: (H, W)
        corners: Whether pixels that touch at a corner alone are connected too.

    Example:
        >>> find_regions(np.array([[1, 0], [0, 1]], np.uint8)).areas.tolist()
        [2, 2]
    """
    starts = np.ones(labels.shape, np.bool_)
    starts[:, 1:] = labels[:, 1:] != labels[:, :-1]
    runs = starts.cumsum().reshape(labels.shape) - 1
    roots = _join(int(runs[-1, -1]) + 1, _touching(labels, starts, runs, corners=corners))
    numbers, ids = np.unique(roots, return_inverse=True)
    return Regions(
        ids[runs],
        labels[starts][numbers],
        np.bincount(ids, np.diff(np.flatnonzero(starts), append=labels.size)).astype(np.int64),
    )


def _touching(labels: Array, starts: npt.NDArray[np.bool_], runs: Integers, *, corners: bool) -> Integers:
    """(2, E) Pairs of runs of one label that touch, at least one a touch.

    Runs that overlap do so first where one of them starts. Of runs that only touch at a corner, the right one starts there.
    """
    above, below = labels[:-1], labels[1:]
    straight = (above == below) & (starts[:-1] | starts[1:])
    if not corners:
        return np.stack((runs[:-1][straight], runs[1:][straight]))
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


def absorb_small(labels: Array, least: int, *, ignore: int) -> Array:
    """Give regions of few pixels the label of the neighbour with which they share the longest border.

    Small regions that lie in other small ones follow these. Where all are small, the largest one stays.

    Args:
        labels: (H, W)
        least: Pixels of a region that stays; corners connect.
        ignore: A label that stays, and that only those get which have no other neighbour.

    Returns:
        (H, W) A new array.

    Example:
        >>> absorb_small(np.array([[1, 1, 1], [1, 2, 3]], np.uint8), 2, ignore=255).tolist()
        [[1, 1, 1], [1, 1, 1]]
    """
    labels = labels.copy()
    while True:
        ids, values, areas = find_regions(labels)
        stays = (areas >= least) | (values == ignore)
        if not (stays & (values != ignore)).any():
            stays[np.where(values == ignore, -1, areas).argmax()] = True
        if stays.all():
            return labels
        pairs = [(ids[:-1], ids[1:]), (ids[:, :-1], ids[:, 1:])]
        touching = np.concatenate([np.stack((one[one != other], other[one != other])) for one, other in pairs], axis=1)
        touching = np.concatenate((touching, touching[::-1]), axis=1)
        small, other = touching[:, ~stays[touching[0]] & stays[touching[1]]]
        keys, borders = np.unique(small * len(areas) + other, return_counts=True)
        small, other = np.divmod(keys, len(areas))
        order = np.lexsort((borders, values[other] != ignore, small))  # the best neighbour of each comes last
        values = values.copy()
        values[small[order]] = values[other[order]]
        labels = values[ids]
