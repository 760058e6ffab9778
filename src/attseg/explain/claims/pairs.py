"""Attention between positions: how much stays on the point, how wide it spreads, how far it reaches, and if to its own class.

PSANet says that its masks "pay low attention at the current position" and that they attend to related regions, "both nearby and
far away" (Zhao et al., ECCV 2018, section 4.5).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from attseg.data.classes import IGNORE
from attseg.data.sample import Array
from attseg.explain.claims.claim import ClaimTable, Integers, Ratio, cell_ids
from attseg.explain.looked import Looked, Pairs
from attseg.explain.pixel import cell_of

Doubles = npt.NDArray[np.float64]

ROWS = ("mass on the point itself", "entropy", "reach", "mass on the point's own class")


class PairClaim:
    """Four numbers of the maps of points, each beside what it would be if all weights were equal.

    Points are drawn evenly among the labelled pixels of each picture.

    Args:
        points: Points a picture.
    """

    def __init__(self, points: int) -> None:
        self.points = points
        self._found: dict[str, dict[str, tuple[Ratio, Ratio]]] = {}
        self._count = 0
        self._negative: set[str] = set()

    def add(self, looked: Looked, labels: Array, random: np.random.Generator) -> None:
        """Count a picture."""
        rows, columns = np.nonzero(labels != IGNORE)
        if not len(rows):
            return
        chosen = random.integers(len(rows), size=self.points)
        points = [(int(columns[index]), int(rows[index])) for index in chosen]
        self._count += len(points)
        for one in looked.pairs:
            self._add(one, points, looked, labels)

    def tables(self) -> list[ClaimTable]:
        """One table a mechanism and direction."""
        remarks = [f"{self._count} points, {self.points} a picture"]
        return [
            ClaimTable(
                name,
                "Masks pay low attention at the current position, and gather from related regions nearby and far away.",
                "Zhao et al., PSANet, ECCV 2018, section 4.5",
                "number",
                ("measured", "if all weights were equal"),
                [(row, [measured.number(), even.number()]) for row, (measured, even) in found.items()],
                remarks,
            )
            for name, found in self._found.items()
        ] + [
            ClaimTable(
                name,
                "",
                "",
                "number",
                (),
                [],
                ["its weights are not shares: some are negative, and nothing is measured"],
            )
            for name in sorted(self._negative)
        ]

    def _add(self, one: Pairs, points: list[tuple[int, int]], looked: Looked, labels: Array) -> None:
        maps = one.at(points).astype(np.float64)
        name = f"{one.name} ({one.direction})"
        if maps.min() < 0 or name in self._negative:
            self._negative.add(name)
            self._found.pop(name, None)
            return
        cells = one.cells
        shares = maps / np.maximum(maps.sum((1, 2), keepdims=True), np.finfo(np.float64).tiny)
        even = np.full_like(shares, 1 / (cells[0] * cells[1]))
        places = np.array([cell_of(x, y, looked.size, cells) for x, y in points])
        step = looked.size[0] / cells[0], looked.size[1] / cells[1]
        counts = class_counts(labels, cell_ids(labels.shape, looked.size, cells), cells)
        own = np.stack([counts[labels[y, x]] for x, y in points])
        known = np.sum(list(counts.values()), 0)
        found = self._found.setdefault(name, {row: (Ratio(), Ratio()) for row in ROWS})
        for place, weights in enumerate((shares, even)):
            values = (
                mass_on_itself(weights, places),
                entropy(weights),
                reach(weights, places, step),
                mass_on(weights, own, known),
            )
            for row, value in zip(ROWS, values, strict=True):
                found[row][place].add(value.sum(), len(value))


def mass_on_itself(weights: Doubles, places: Integers) -> Doubles:
    """(P,) The weight of the cell (row, column) that each point lies in, of maps (P, h, w) that sum to 1."""
    return np.asarray(weights[np.arange(len(weights)), places[:, 0], places[:, 1]])


def entropy(weights: Doubles) -> Doubles:
    """(P,) Entropy of maps (P, h, w) that sum to 1, as a share of the largest possible: 0 is one cell, 1 is all alike."""
    flat = weights.reshape(len(weights), -1)
    if flat.shape[1] == 1:
        return np.ones(len(flat))
    logs = np.log(flat, out=np.zeros_like(flat), where=flat > 0)
    return np.asarray(-(flat * logs).sum(1) / math.log(flat.shape[1]))


def reach(weights: Doubles, places: Integers, step: tuple[float, float]) -> Doubles:
    """(P,) Mean distance between the cell of each point and all cells, weighed by maps (P, h, w) that sum to 1.

    Args:
        weights: The maps.
        places: (P, 2) row and column of the points' cells.
        step: Height and width of a cell in pixels.

    Returns:
        Distances from middle to middle, as shares of the picture's diagonal.
    """
    height, width = weights.shape[1:]
    down = (np.arange(height)[None, :, None] - places[:, 0, None, None]) * step[0]
    right = (np.arange(width)[None, None, :] - places[:, 1, None, None]) * step[1]
    diagonal = math.hypot(height * step[0], width * step[1])
    return np.asarray((weights * np.hypot(down, right)).sum((1, 2)) / diagonal)


def mass_on(weights: Doubles, own: Doubles, known: Doubles) -> Doubles:
    """(P,) Share of the mass of maps (P, h, w) that falls on pixels of a class, of what falls on labelled pixels.

    The weight of a cell is spread evenly over its pixels.

    Args:
        weights: The maps.
        own: (P, h, w) pixels of the point's class in each cell.
        known: (h, w) labelled pixels in each cell.
    """
    pixels = np.maximum(known, 1)
    on_own = (weights * (own / pixels)).sum((1, 2))
    on_known = (weights * (known > 0)).sum((1, 2))
    return np.asarray(on_own / np.maximum(on_known, np.finfo(np.float64).tiny))


def class_counts(labels: Array, ids: Integers, cells: tuple[int, int]) -> dict[int, Doubles]:
    """By class, how many of its pixels each cell (h, w) holds; ignored pixels are left out."""
    return {
        int(index): np.bincount(ids[labels == index], minlength=cells[0] * cells[1]).reshape(cells).astype(np.float64)
        for index in np.unique(labels)
        if index != IGNORE
    }
