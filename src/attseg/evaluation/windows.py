"""Where label maps change: pixels that have another class within a square around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.data.classes import IGNORE
from attseg.data.sample import Array

Mask = npt.NDArray[np.bool_]


def differs_within(labels: Array, reach: int) -> Mask:
    """(H, W) Whether a pixel has a pixel of another class at most ``reach`` rows and columns away.

    Ignored pixels belong to no class: they are never marked, and mark nobody. The border of the picture marks nobody either.

    Args:
        labels: (H, W) classes, and 255 where ignored.
        reach: Half the side of the square, at least 1.

    Example:
        >>> differs_within(np.array([[0, 0, 0, 1, 255, 2]], np.uint8), 1).tolist()
        [[False, False, True, True, False, False]]
    """
    ignored = labels == IGNORE
    highest = _over_square(np.where(ignored, np.uint8(0), labels), reach, np.maximum, 0)
    lowest = _over_square(labels, reach, np.minimum, IGNORE)
    marked: Mask = (highest != lowest) & ~ignored
    return marked


def near_border(height: int, width: int, reach: int) -> Mask:
    """(H, W) Whether a pixel is one of the outermost ``reach`` rows and columns.

    Example:
        >>> near_border(3, 4, 1).sum()
        np.int64(10)
    """
    near = np.ones((height, width), np.bool_)
    near[reach : height - reach, reach : width - reach] = False
    if 2 * reach >= min(height, width):
        near[:] = True
    return near


def _over_square(values: Array, reach: int, pick: np.ufunc, neutral: int) -> Array:
    return _over_rows(_over_rows(values, reach, pick, neutral).T, reach, pick, neutral).T


def _over_rows(values: Array, reach: int, pick: np.ufunc, neutral: int) -> Array:
    """The extreme of each column over ``2 * reach + 1`` rows, from extremes over 2, 4, 8, .. rows."""
    length, side = len(values), 2 * reach + 1
    extremes: npt.NDArray[Any] = np.pad(values, ((reach, reach), (0, 0)), constant_values=neutral)
    rows = 1
    while 2 * rows <= side:
        extremes = pick(extremes[:-rows], extremes[rows:])
        rows *= 2
    rest = side - rows
    return np.ascontiguousarray(pick(extremes[:length], extremes[rest : rest + length]))
