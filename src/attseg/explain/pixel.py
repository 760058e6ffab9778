"""Attention of one pixel in every map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from attseg.attention.pointwise.terms import Direction
from attseg.attention.tap import Kind
from attseg.explain.capture import AttentionMap

Indices = npt.NDArray[np.int64]
Place = TypeVar("Place", int, Indices)


@dataclass(frozen=True, eq=False)
class PixelAttention:
    """One attention map, read at one pixel.

    Args:
        name: Where the map arose, such as ``decoder.steps.0.attention``; see ``AttentionMap``.
        kind: What the map weighs, which says what ``values`` are.
        values: ``"scale"``: (S,) the weight of each image scale. ``"class"``: (K,) that of each class. ``"channel"``: (C,) that
            of each channel, equal at all pixels. ``"spatial"``: (1,) or (C,) the weight of this position. ``"pairwise"``:
            (H', W') the weights between this position and all others, in one ``direction``.
        direction: Of a pairwise map: ``collect`` says how much this position gathers from every source, ``distribute`` how much
            it gives to every target. None for other kinds.
    """

    name: str
    kind: Kind
    values: npt.NDArray[np.float32]
    direction: Direction | None = None

    def __repr__(self) -> str:
        direction = f", {self.direction}" if self.direction else ""
        return f"PixelAttention({self.name!r}, {self.kind}{direction}, {self.values.shape})"


def read_pixel(maps: Iterable[AttentionMap], *, x: int, y: int, size: tuple[int, int]) -> list[PixelAttention]:
    """Read maps of a single picture at the cell that holds a pixel.

    Args:
        maps: As captured, with a batch of one.
        x: Column of the pixel in the picture, from the left.
        y: Row of the pixel in the picture, from the top.
        size: Height and width of the picture that the network saw.
    """
    return [PixelAttention(one.name, one.kind, _values(one, x, y, size), one.direction) for one in maps]


def cell_of(x: int, y: int, size: tuple[int, int], cells: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the cell of a map in which the middle of a pixel lies.

    Args:
        x: Column of the pixel.
        y: Row of the pixel.
        size: Height and width of the picture.
        cells: Height and width of the map.

    Example:
        >>> cell_of(99, 0, (60, 100), (4, 7))
        (0, 6)
    """
    return _cell(y, size[0], cells[0]), _cell(x, size[1], cells[1])


def cells_of(shape: tuple[int, int], size: tuple[int, int], cells: tuple[int, int]) -> tuple[Indices, Indices]:
    """The same for all pixels: the row of the cell of each row of pixels (H,), and the column for each column (W,).

    Args:
        shape: Height and width in pixels.
        size: Height and width of the picture that the network saw, which may go on beyond these.
        cells: Height and width of the map.
    """
    rows, columns = (_cell(np.arange(side), *along) for side, *along in zip(shape, size, cells, strict=True))
    return rows, columns


def to_numpy(values: Tensor) -> npt.NDArray[np.float32]:
    """Values of any device and precision as 32-bit floats."""
    return values.detach().float().cpu().numpy()


def _cell(place: Place, whole: int, count: int) -> Place:
    """Which of ``count`` cells along a side of ``whole`` pixels the middle of a pixel lies in."""
    return (2 * place + 1) * count // (2 * whole)


def _values(one: AttentionMap, x: int, y: int, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    weights: Tensor = one.weights[0]  # (C, H', W')
    if one.kind == "channel-pairs":  # the same for every pixel: the mean over the channels that gather
        return to_numpy(weights.mean(1))
    height, width = weights.shape[-2:]
    row, column = cell_of(x, y, size, (height, width))
    if one.kind != "pairwise":
        return to_numpy(weights[:, row, column])
    if one.direction == "distribute":
        return to_numpy(weights[row * width + column])
    return to_numpy(weights[:, row, column].view(height, width))
