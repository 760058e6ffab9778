"""What every attention map holds for one pixel of the picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from attseg.attention.tap import Kind
from attseg.explain.capture import AttentionMap


@dataclass(frozen=True, eq=False)
class PixelAttention:
    """One attention map, read at one pixel.

    Args:
        name: Path of the tap in the model, such as ``decoder.0.attention``.
        kind: What the map weighs, which says what ``values`` are.
        values: ``"scale"``: (S,) the weight of each image scale. ``"class"``: (K,) that of each class. ``"channel"``: (C,) that
            of each channel, equal at all pixels. ``"spatial"``: (1,) or (C,) the weight of this position. ``"pairwise"``:
            (H', W') the weight of every source position for this one.
    """

    name: str
    kind: Kind
    values: npt.NDArray[np.float32]


def read_pixel(maps: Iterable[AttentionMap], *, x: int, y: int, size: tuple[int, int]) -> list[PixelAttention]:
    """Read maps of a single picture at the cell that holds a pixel.

    Args:
        maps: As captured, with a batch of one.
        x: Column of the pixel in the picture, from the left.
        y: Row of the pixel in the picture, from the top.
        size: Height and width of the picture that the network saw.
    """
    return [PixelAttention(one.name, one.kind, _values(one, y / size[0], x / size[1])) for one in maps]


def _values(one: AttentionMap, down: float, right: float) -> npt.NDArray[np.float32]:
    """The values at a position given as shares of height and width."""
    weights: Tensor = one.weights[0]  # (C, H', W')
    height, width = weights.shape[-2:]
    values = weights[:, int(down * height), int(right * width)]
    if one.kind == "pairwise":
        values = values.view(height, width)
    return values.detach().float().cpu().numpy()
