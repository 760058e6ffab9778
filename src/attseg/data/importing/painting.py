"""Paints regions over each other as labels, and counts where they overlap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from attseg.data.classes import IGNORE
from attseg.data.importing.choices import Overlap
from attseg.data.importing.shapes import Region
from attseg.data.sample import Array


class Painted(NamedTuple):
    """Labels, and what was covered more than once.

    Args:
        labels: (H, W) values of the label file.
        overlaps: Pixels by the value that lies below and the one above; regions of one class do not count.
        empty: Regions without a pixel in the picture.
    """

    labels: Array
    overlaps: Counter[tuple[int, int]]
    empty: int


def paint(
    regions: Sequence[Region],
    values: Mapping[str, int],
    height: int,
    width: int,
    *,
    rest: int,
    overlap: Overlap = "later",
) -> Painted:
    """Paint regions.

    Args:
        regions: From the lowest to the topmost.
        values: The value of each label.
        height: Of the picture.
        width: Of the picture.
        rest: The value of pixels that no region covers.
        overlap: ``later``: what was drawn later, or lies above in the tool, wins; ``smaller``: the region of fewer pixels wins.

    Raises:
        DataError: A shape is not valid.
    """
    labels = np.full((height, width), rest, np.uint8)
    covered = np.zeros((height, width), bool)
    overlaps: Counter[tuple[int, int]] = Counter()
    empty = 0
    if overlap == "smaller":
        areas = [
            0 if (found := region.shape.window(height, width)) is None else int(found.mask.sum()) for region in regions
        ]
        regions = [regions[index] for index in sorted(range(len(regions)), key=lambda index: -areas[index])]
    for region in regions:
        window = region.shape.window(height, width)
        if window is None or not window.mask.any():
            empty += 1
            continue
        rows, columns = window.mask.shape
        place = np.s_[window.top : window.top + rows, window.left : window.left + columns]
        value = values[region.label]
        below = labels[place][window.mask & covered[place]]
        for under, pixels in enumerate(np.bincount(below, minlength=IGNORE + 1)):
            if pixels and under != value:
                overlaps[under, value] += int(pixels)
        labels[place][window.mask] = value
        covered[place] |= window.mask
    return Painted(labels, overlaps, empty)
