"""Where the scores of views add up: in bands of rows that are made when a view first touches them and leave when they are done.

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
from attseg.prediction.protocol import Average
from attseg.prediction.views import Side, Span, View

ROWS = 64
"""Rows of a band."""


class Band(NamedTuple):
    """Scores of some rows of a picture.

    Args:
        top: The first of the rows.
        values: (K, h, W) averages over all views, as floats.
        kind: Whether they are probabilities or logits.
    """

    top: int
    values: Tensor
    kind: Average

    def decide(self) -> tuple[Array, npt.NDArray[np.float32]]:
        """(h, W) The most probable class of each pixel, and its probability."""
        best, labels = self.values.max(dim=0)
        if self.kind == "logits":
            best = 1 / (self.values - best).exp_().sum(dim=0)  # softmax at the maximum, whose exponent is 0
        return labels.byte().cpu().numpy(), best.cpu().numpy()

    def labels(self) -> Array:
        """(h, W) The class with the highest score."""
        return self.values.max(dim=0).indices.byte().cpu().numpy()

    def probabilities(self) -> Tensor:
        """(K, h, W) Probabilities of the classes, which add up to 1."""
        return self.values.softmax(dim=0) if self.kind == "logits" else self.values


class Bands:
    """Adds up the scores of views, at the size of the picture.

    Args:
        height: Rows of the picture.
        width: Its columns.
        kind: What the scores are.
    """

    def __init__(self, height: int, width: int, kind: Average) -> None:
        self.height = height
        self.width = width
        self.kind = kind
        self._bands: dict[int, Tensor] = {}
        self._next = 0

    def add(self, view: View, scores: Tensor, share: float) -> None:
        """Add the scores of a view.

        Each pixel of the scaled picture is divided by the number of views of this scale that see it, and the scaled picture is
        then resized bilinearly. Resizing is linear, so this is done view by view, as if nothing stood around each.

        Args:
            view: What was seen; of its scale, every view has to be added once.
            scores: (K, h, w) of what it sees of the picture.
            share: Weight of this scale, and of this look where there are mirrored ones.
        """
        rows, columns = view.scaled
        weights = np.outer(share * _part(rows, view.rows), _part(columns, view.columns))
        scores = scores * torch.from_numpy(weights).to(scores.device)
        top, bottom = rows.touched(view.rows)
        left, right = columns.touched(view.columns)
        same = rows.full == rows.scaled and columns.full == columns.scaled
        down, along = (_places(side, span, scores.device) for side, span in zip(view.scaled, view[1:], strict=True))
        for number in range(top // ROWS, -(-bottom // ROWS)):
            first, last = max(top, number * ROWS), min(bottom, (number + 1) * ROWS)
            part = slice(first - top, last - top)
            seen = scores[:, part] if same else _sample(scores, down[part], along)
            inside = slice(first - number * ROWS, last - number * ROWS)
            self._band(number, scores)[:, inside, left:right].add_(seen)

    def done(self, row: int) -> Iterator[Band]:
        """Give away every band that lies above a row, to which no view is added any more."""
        while self._next * ROWS < self.height and min((self._next + 1) * ROWS, self.height) <= row:
            yield Band(self._next * ROWS, self._bands.pop(self._next), self.kind)
            self._next += 1

    def _band(self, number: int, like: Tensor) -> Tensor:
        if number not in self._bands:
            rows = min(ROWS, self.height - number * ROWS)
            self._bands[number] = torch.zeros(len(like), rows, self.width, device=like.device)
        return self._bands[number]


def _part(side: Side, span: Span) -> npt.NDArray[np.float32]:
    return side.weights[span.start : span.stop]


def _places(side: Side, span: Span, device: torch.device) -> Tensor:
    """Where each pixel of the picture that a span touches is read from the span, from -1 to 1 over its pixels' outer edges."""
    first, last = side.touched(span)
    places = side.coordinates[first:last] - span.start
    return torch.from_numpy((2 * places + 1) / (span.stop - span.start) - 1).float().to(device)


def _sample(scores: Tensor, down: Tensor, along: Tensor) -> Tensor:
    """(K, len(down), len(along)) Scores read at places between them; around them stands zero."""
    grid = torch.stack((along.expand(len(down), -1), down[:, None].expand(-1, len(along))), dim=-1)
    return F.grid_sample(scores[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=False)[0]
