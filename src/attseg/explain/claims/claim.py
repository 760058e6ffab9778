"""The table of a claim, how numbers are averaged over images, and which cell of a map a pixel lies in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from attseg.data.sample import Array
from attseg.explain.looked import Looked
from attseg.explain.pixel import cells_of

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


class Number(NamedTuple):
    """A value and its standard error over pictures; None where there is none."""

    value: float | None
    error: float | None


class Ratio:
    """A sum over a sum, each over all pictures, with its standard error: pictures are what was drawn, and not pixels.

    Source:
        Cochran, Sampling Techniques, 3rd edition 1977, section 6.4: the variance of a ratio of two sums.

    Example:
        >>> ratio = Ratio()
        >>> ratio.add(1.0, 2.0)
        >>> ratio.add(3.0, 2.0)
        >>> ratio.number()
        Number(value=1.0, error=0.5)
    """

    def __init__(self) -> None:
        self._parts: list[tuple[float, float]] = []

    def add(self, total: float, weight: float) -> None:
        """Add a picture's sum and what it is divided by; nothing where the latter is 0."""
        if weight > 0:
            self._parts.append((float(total), float(weight)))

    def number(self) -> Number:
        """The ratio, and its error where there are two pictures or more."""
        if not self._parts:
            return Number(None, None)
        totals, weights = np.array(self._parts).T
        value = totals.sum() / weights.sum()
        count = len(weights)
        if count < 2:
            return Number(float(value), None)
        spread = ((totals - value * weights) ** 2).sum() * count / (count - 1)
        return Number(float(value), math.sqrt(spread) / float(weights.sum()))


@dataclass(frozen=True)
class ClaimTable:
    """A table of numbers about one claim.

    Args:
        name: What it is called.
        claim: What the paper says, in a sentence.
        source: Where.
        by: What the rows are.
        columns: What the numbers of a row are, with their units.
        rows: A name and its numbers each.
        remarks: How much was measured.
    """

    name: str
    claim: str
    source: str
    by: str
    columns: tuple[str, ...]
    rows: list[tuple[str, list[Number]]]
    remarks: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "name": self.name,
            "claim": self.claim,
            "source": self.source,
            "rows": [
                {self.by: name, **{c: n._asdict() for c, n in zip(self.columns, numbers, strict=True)}}
                for name, numbers in self.rows
            ],
            "remarks": self.remarks,
        }


class Claim(Protocol):
    """One claim, measured picture by picture."""

    def add(self, looked: Looked, labels: Array, random: np.random.Generator) -> None:
        """Count a picture: what the model attended to, its labels (H, W) with 255 where ignored, and where points come from."""
        ...

    def tables(self) -> list[ClaimTable]:
        """The measured numbers, a table or more."""
        ...


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
