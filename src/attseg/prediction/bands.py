"""Where the scores of views add up: in rows that are made when a view first touches them and leave when they are done.

So the scores of a huge picture never stand at once, only those of the rows that views still overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from attseg.data.sample import Array
from attseg.prediction.decided import check_scores
from attseg.prediction.protocol import Average
from attseg.prediction.views import Axis, Scaled, ScaledView

ROWS = 64
"""Rows of a band."""

SMALL = 3
"""Times that a scaled picture fits into the picture, from which on its scores are resized last; scale 0.5 does."""


class ScoreBand(NamedTuple):
    """Scores of some rows of a picture.

    Args:
        top: The first of the rows.
        values: (K, h, W) averages over all views, as floats.
        kind: Whether they are probabilities or logits.
    """

    top: int
    values: Tensor
    kind: Average

    @property
    def height(self) -> int:
        """How many rows."""
        return self.values.shape[1]

    def decide(self) -> tuple[Array, npt.NDArray[np.float32]]:
        """(h, W) The most probable class of each pixel, and its probability.

        Raises:
            ScoresError: The scores of a pixel are NaN or infinite.
        """
        best, labels = self.values.max(dim=0)
        check_scores(best)
        if self.kind == "logits":
            best = 1 / (self.values - best).exp_().sum(dim=0)  # softmax at the maximum, whose exponent is 0
        return labels.byte().cpu().numpy(), best.cpu().numpy()

    def labels(self) -> Array:
        """(h, W) The class with the highest score; errors as of ``decide``."""
        best, labels = self.values.max(dim=0)
        check_scores(best)
        return labels.byte().cpu().numpy()

    def probabilities(self) -> Tensor:
        """(K, h, W) Probabilities of the classes, which add up to 1."""
        return self.values.softmax(dim=0) if self.kind == "logits" else self.values


class Rows:
    """Sums of scores in some rows of a map, of which only those stand in memory that something was added to.

    Args:
        height: Rows of the map.
        width: Its columns.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height = height
        self.width = width
        self._blocks: dict[int, Tensor] = {}

    def add(self, top: int, left: int, scores: Tensor, weights: Tensor) -> None:
        """Add scores (K, h, w) times weights (h, w) in place, at some row and column."""
        bottom = top + scores.shape[1]
        for number, first, last in _blocks(top, bottom):
            inside = slice(first - number * ROWS, last - number * ROWS)
            part = slice(first - top, last - top)
            block = self._block(number, scores)[:, inside, left : left + scores.shape[2]]
            block.addcmul_(scores[:, part], weights[part])

    def _block(self, number: int, like: Tensor) -> Tensor:
        """The block of a number, made if it is not there; classes lie innermost in memory where those of the scores do."""
        if number not in self._blocks:
            classes, rows = len(like), min(ROWS, self.height - number * ROWS)
            if like.stride(0) == 1:
                block = torch.zeros(rows, self.width, classes, device=like.device).permute(2, 0, 1)
            else:
                block = torch.zeros(classes, rows, self.width, device=like.device)
            self._blocks[number] = block
        return self._blocks[number]

    def read(self, top: int, bottom: int) -> Tensor:
        """(K, bottom - top, W) Some rows, to all of which something was added."""
        parts = [
            self._blocks[number][:, first - number * ROWS : last - number * ROWS]
            for number, first, last in _blocks(top, bottom)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def drop(self, row: int) -> None:
        """Forget the blocks that lie above a row."""
        for number in [number for number in self._blocks if (number + 1) * ROWS <= row]:
            del self._blocks[number]


class ScoreBands:
    """Adds up the scores of views, and gives them away at the size of the picture.

    Each pixel of a scaled picture is divided by the number of views of its scale that see it, and the scaled picture is then
    resized bilinearly. Resizing is linear, so what a view adds can be resized by itself, as if nothing stood around it; that is
    done at once. Only pictures that were scaled down a lot are kept small until their rows are done, which takes less memory.

    Args:
        height: Rows of the picture.
        width: Its columns.
        kind: What the scores are.
    """

    def __init__(self, height: int, width: int, kind: Average) -> None:
        self.height = height
        self.kind = kind
        self._full = Rows(height, width)
        self._small: dict[tuple[int, int], tuple[Scaled, Rows]] = {}
        self._any_full = False
        self._next = 0

    def add(self, view: ScaledView, scores: Tensor, share: float) -> None:
        """Add the scores of a view.

        Args:
            view: What was seen; of its scale, every view has to be added once.
            scores: (K, h, w) of what it sees of the picture; may be written to.
            share: Weight of this scale, and of this look where there are mirrored ones.
        """
        rows, columns = view.scaled
        weights = torch.from_numpy(np.outer(share * rows.shares(view.rows), columns.shares(view.columns)))
        weights = weights.to(scores.device)
        if SMALL * rows.scaled * columns.scaled <= rows.full * columns.full:
            empty = (view.scaled, Rows(rows.scaled, columns.scaled))
            _, small = self._small.setdefault((rows.scaled, columns.scaled), empty)
            small.add(view.rows.start, view.columns.start, scores, weights)
            return
        self._any_full = True
        if rows.full == rows.scaled and columns.full == columns.scaled:
            self._full.add(view.rows.start, view.columns.start, scores, weights)
            return
        scores = scores.mul_(weights)
        top, bottom = rows.touched(view.rows)
        left, right = columns.touched(view.columns)
        along = _places(columns, (left, right), view.columns[:2])
        one = torch.ones(1, 1, device=scores.device).expand(ROWS, right - left)
        for _, first, last in _blocks(top, bottom):  # so that no second map of the size of the picture is made
            down = _places(rows, (first, last), view.rows[:2])
            self._full.add(first, left, _sample(scores, down, along), one)

    def done(self, row: int) -> Iterator[ScoreBand]:
        """Give away every band that lies above a row, to which no view is added any more."""
        while self._next < min(row, self.height):
            last = min(self._next + ROWS, self.height)
            if last > row:
                return
            band = ScoreBand(self._next, self._total(self._next, last), self.kind)
            self._next = last
            self._full.drop(last)
            yield band

    @torch.inference_mode()
    def _total(self, first: int, last: int) -> Tensor:
        """(K, last - first, W) The sum over all scales in some rows of the picture, which are forgotten."""
        parts = [self._full.read(first, last)] if self._any_full else []
        for (rows, columns), small in self._small.values():
            top = int(rows.coordinates[first])
            bottom = min(int(rows.coordinates[last - 1]) + 2, rows.scaled)
            down = _places(rows, (first, last), (top, bottom))
            along = _places(columns, (0, columns.full), (0, columns.scaled))
            parts.append(_sample(small.read(top, bottom), down, along))
            if last < rows.full:
                small.drop(int(rows.coordinates[last]))
        total, *others = parts
        for other in others:
            total += other
        return total


def _blocks(top: int, bottom: int) -> Iterator[tuple[int, int, int]]:
    """The blocks of ``ROWS`` rows that some rows lie in: number, and the first and last of the rows in it."""
    for number in range(top // ROWS, -(-bottom // ROWS)):
        yield number, max(top, number * ROWS), min(bottom, (number + 1) * ROWS)


def _places(side: Axis, full: tuple[int, int], scaled: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Where some pixels of the picture are read from some of the scaled one: -1 is the middle of their first, 1 of their last.

    So rounding cannot push the ends out, where there is nothing.
    """
    places = side.coordinates[slice(*full)] - scaled[0]
    return 2 * places / max(1, scaled[1] - scaled[0] - 1) - 1


def _sample(scores: Tensor, down: npt.NDArray[np.float64], along: npt.NDArray[np.float64]) -> Tensor:
    """(K, len(down), len(along)) Scores read at places between them; around them stands zero."""
    y, x = (torch.from_numpy(places).float().to(scores.device) for places in (down, along))
    grid = torch.stack((x.expand(len(y), -1), y[:, None].expand(-1, len(x))), dim=-1)
    return F.grid_sample(scores[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=True)[0]
