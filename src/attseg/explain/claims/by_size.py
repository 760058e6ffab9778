"""Maps by object size: which image scale wins where, and whether the pyramid attends to large objects.

Objects are connected regions of one labelled class, and their sizes those of ``attseg evaluate --sizes``.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from attseg.data.classes import IGNORE
from attseg.data.regions import find_regions
from attseg.data.sample import Array
from attseg.evaluation.sizes import BOUNDS
from attseg.explain.capture import AttentionMap
from attseg.explain.claims.claim import ClaimTable, Floats, Ratio, at_pixels
from attseg.explain.looked import Looked
from attseg.explain.pixel import to_numpy

Doubles = npt.NDArray[np.float64]

SIZES = (
    f"below {BOUNDS[0]} pixels",
    *(f"{low} to {high - 1}" for low, high in pairwise(BOUNDS)),
    f"{BOUNDS[-1]} and more",
)
"""Names of the sizes, by area."""


def sums_by_size(values: Floats, labels: Array) -> tuple[Doubles, Doubles, Doubles]:
    """Sums over the pixels of the regions of each size, and which map is the largest on how many regions.

    Args:
        values: (C, H, W) of each pixel.
        labels: (H, W) classes, and 255 where ignored.

    Returns:
        (B, C) sums, (B,) pixels, and (B, C) regions on which the mean of each map is the largest.
    """
    regions = find_regions(labels)
    count = len(regions.areas)
    ids = regions.ids.reshape(-1)
    totals = np.stack([np.bincount(ids, one.reshape(-1).astype(np.float64), count) for one in values], 1)  # (R, C)
    sizes, real = np.digitize(regions.areas, BOUNDS), regions.values != IGNORE
    sums, pixels, won = np.zeros((len(SIZES), len(values))), np.zeros(len(SIZES)), np.zeros((len(SIZES), len(values)))
    np.add.at(sums, sizes[real], totals[real])
    np.add.at(pixels, sizes[real], regions.areas[real])
    np.add.at(won, (sizes[real], totals[real].argmax(1)), 1)
    return sums, pixels, won


class ScaleClaim:
    """The mean weight of each image scale on objects of each size, and the share of objects on which it is the largest."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._means = [[Ratio() for _ in names] for _ in SIZES]
        self._won = [[Ratio() for _ in names] for _ in SIZES]
        self._regions = 0

    def add(self, looked: Looked, labels: Array, random: np.random.Generator) -> None:
        """Count a picture."""
        found = next(one for one in looked.found if isinstance(one, AttentionMap) and one.kind == "scale")
        values = np.stack([at_pixels(to_numpy(one), labels.shape, looked.size) for one in found.weights[0]])
        sums, pixels, won = sums_by_size(values, labels)
        self._regions += int(won.sum())
        for size in range(len(SIZES)):
            for scale in range(len(self.names)):
                self._means[size][scale].add(sums[size, scale], pixels[size])
                self._won[size][scale].add(won[size, scale], won[size].sum())

    def tables(self) -> list[ClaimTable]:
        """The weights, and the objects won."""
        claim = "The model is to put large weights on large objects in the small picture, and on small ones in the large picture."
        source = "Yang and Peng, Attention to Refine, 2018, section 2.1"
        remarks = [f"{self._regions} objects"]
        tables = (
            ("weight of image scales", "mean weight at {}", self._means),
            ("scale that wins", "objects won by {}", self._won),
        )
        return [
            ClaimTable(
                name,
                claim,
                source,
                "area of the object",
                tuple(column.format(scale) for scale in self.names),
                [(size, [one.number() for one in row]) for size, row in zip(SIZES, ratios, strict=True)],
                remarks,
            )
            for name, column, ratios in tables
        ]


class PyramidClaim:
    """The mean value of FPA on objects of each size, and as a multiple of the mean of its picture."""

    def __init__(self) -> None:
        self._values = [Ratio() for _ in SIZES]
        self._relative = [Ratio() for _ in SIZES]
        self._regions = 0

    def add(self, looked: Looked, labels: Array, random: np.random.Generator) -> None:
        """Count a picture."""
        found = next(one for one in looked.found if isinstance(one, AttentionMap) and one.mechanism == "fpa")
        values = at_pixels(to_numpy(found.weights[0].mean(0)), labels.shape, looked.size)
        sums, pixels, won = sums_by_size(values[None], labels)
        mean = sums.sum() / max(pixels.sum(), 1)
        self._regions += int(won.sum())
        for size in range(len(SIZES)):
            self._values[size].add(sums[size, 0], pixels[size])
            if mean > 0:
                self._relative[size].add(sums[size, 0] / mean, pixels[size])

    def tables(self) -> list[ClaimTable]:
        """One table, a row a size."""
        rows = [
            (size, [value.number(), relative.number()])
            for size, value, relative in zip(SIZES, self._values, self._relative, strict=True)
        ]
        return [
            ClaimTable(
                "pyramid value",
                "The pyramid fuses context at several scales and gives pixel-level attention; it helps with small objects.",
                "Li et al., PAN, BMVC 2018, sections 1 and 3.1",
                "area of the object",
                ("mean value", "mean value over that of the picture"),
                rows,
                [f"{self._regions} objects"],
            )
        ]
