"""Between the pixels of labels and the cells of a map."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attseg.explain.pixel import cells_of

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def cell_ids(shape: tuple[int, int], size: tuple[int, int], cells: tuple[int, int]) -> Integers:
    """(H, W) Number of the cell, row by row, that the middle of each pixel lies in.

    Args:
        shape: Height and width of the labels.
        size: Height and width of the picture that the network saw, which may go on beyond the labels.
        cells: Height and width of the map.
    """
    rows, columns = cells_of(shape, size, cells)
    return np.asarray(rows[:, None] * cells[1] + columns, np.int64)


def at_pixels(values: Floats, shape: tuple[int, int], size: tuple[int, int]) -> Floats:
    """A map (h, w) as values of pixels (H, W); arguments as of ``cell_ids``."""
    cells = values.shape[0], values.shape[1]
    return values.reshape(-1)[cell_ids(shape, size, cells)]
