"""Where a network looks: a protocol and the size of a picture become views, in an order in which rows are finished from the top.

A *view* is one look at a part of the scaled picture: the whole of it, or a window. All is reckoned side by side: rows and
columns have the same windows, weights and coordinates, each of their own side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from attseg.models.frame import SMALLEST
from attseg.prediction.protocol import Protocol

Floats = npt.NDArray[np.float64]


class Extent(NamedTuple):
    """Extent of a view along one side.

    Args:
        start: First pixel of the scaled picture.
        stop: The one after the last.
        given: Pixels that the network is given, of which the picture's are a part where it is smaller than that.
        before: Pixels given before the first of the picture.
    """

    start: int
    stop: int
    given: int
    before: int


@dataclass(frozen=True)
class Axis:
    """One side of a picture at one scale.

    Args:
        full: Pixels of the picture as it is.
        scaled: Pixels of the scaled picture.
        spans: What the views see along it, from the first pixel on.
        tapered: Whether the weight of a span falls towards its ends, where others overlap it.
    """

    full: int
    scaled: int
    spans: tuple[Extent, ...]
    tapered: bool = False

    @cached_property
    def weights(self) -> npt.NDArray[np.float32]:
        """(scaled,) One over the number of spans that cover each pixel."""
        changes = np.zeros(self.scaled + 1, np.int64)
        for span in self.spans:
            changes[span.start] += 1
            changes[span.stop] -= 1
        return (1 / changes.cumsum()[:-1]).astype(np.float32)

    def shares(self, span: Extent) -> npt.NDArray[np.float32]:
        """(stop - start,) Weight of a span at each of its pixels; those of all spans add up to 1."""
        if not self.tapered:
            return self.weights[span.start : span.stop]
        return np.asarray(_ramp(span) / self._ramps[span.start : span.stop], np.float32)

    @cached_property
    def _ramps(self) -> Floats:
        """(scaled,) The sum of the ramps of all spans."""
        total = np.zeros(self.scaled)
        for span in self.spans:
            total[span.start : span.stop] += _ramp(span)
        return total

    @cached_property
    def coordinates(self) -> Floats:
        """(full,) Where the middle of each pixel of the picture lies in the scaled one, whose pixels have whole numbers."""
        return resampled(self.scaled, self.full)

    def touched(self, span: Extent) -> tuple[int, int]:
        """First pixel of the picture that a span has a part in, and the one after the last.

        A pixel of the picture is blended from the two pixels of the scaled one beside its middle.
        """
        if self.full == self.scaled:
            return span.start, span.stop
        first = np.searchsorted(self.coordinates, span.start - 1, side="right")
        return int(first), int(np.searchsorted(self.coordinates, span.stop, side="left"))


class Scaled(NamedTuple):
    """A picture at one scale: its rows and its columns."""

    rows: Axis
    columns: Axis


class ScaledView(NamedTuple):
    """One look: at which scale, and what it sees of rows and columns."""

    scaled: Scaled
    rows: Extent
    columns: Extent

    @property
    def given(self) -> tuple[int, int]:
        """Height and width of what the network is given."""
        return self.rows.given, self.columns.given


def resampled(source: int, target: int) -> Floats:
    """(target,) Where in a row of ``source`` pixels each of ``target`` pixels is read.

    This is the bilinear resizing of torch and OpenCV: half-pixel centres, and no further out than the middle of the last pixel.

    Example:
        >>> resampled(4, 2).tolist(), resampled(2, 4).tolist()
        ([0.5, 2.5], [0.0, 0.25, 0.75, 1.0])
    """
    return np.clip((np.arange(target) + 0.5) * (source / target) - 0.5, 0, source - 1)


def scales(protocol: Protocol, height: int, width: int, *, least: int = SMALLEST) -> list[Scaled]:
    """A picture at each scale of a protocol; no view gives a network a side below ``least``."""
    found = []
    for scale in protocol.scales:
        scaled_height, scaled_width = protocol.scaled_size(scale, height, width)
        tapered = protocol.blend == "tapered"
        rows = Axis(height, scaled_height, _spans(protocol, scaled_height, least), tapered)
        columns = Axis(width, scaled_width, _spans(protocol, scaled_width, least), tapered)
        found.append(Scaled(rows, columns))
    return found


def views(scaled: list[Scaled]) -> Iterator[tuple[int, ScaledView]]:
    """Every view, each after the first row of the picture that it has a part in; these rows never decrease.

    So what lies above the row of a view is finished when all views before it are added.
    """
    order = sorted(
        (one.rows.touched(rows)[0], index, rows) for index, one in enumerate(scaled) for rows in one.rows.spans
    )
    for first, index, rows in order:
        for columns in scaled[index].columns.spans:
            yield first, ScaledView(scaled[index], rows, columns)


def _ramp(span: Extent) -> Floats:
    """(stop - start,) Distance of each pixel of a span from the nearer end."""
    places = np.arange(span.stop - span.start) + 0.5
    return np.minimum(places, places[::-1])


def _spans(protocol: Protocol, length: int, least: int) -> tuple[Extent, ...]:
    """The windows along a side of the scaled picture.

    The last one ends with the side, so that it may overlap more than the others.
    """
    window = protocol.window
    if protocol.pad and length < window:
        given = max(window, least)
        return (Extent(0, length, given, (given - length) // 2),)
    if not window or length <= window:
        return (Extent(0, length, max(length, least), 0),)
    starts = (*range(0, length - window, protocol.step), length - window)
    return tuple(Extent(start, start + window, max(window, least), 0) for start in starts)
