"""How the lean implementation cuts up a map, and the scores of one tile.

The anchors, the positions whose maps are meant (targets of collect, sources of distribute), are cut into tiles: many rows, few
columns. A tile of b columns needs filters for W + b - 1 horizontal offsets only, where all anchors together need 2W - 1. Vertical
offsets are taken a few at a time, a band, and only the anchors that still have positions at these offsets take part. So the
matrix products hold little that is not needed. Going one anchor down moves its window one row back, one anchor to the right one
column back: what falls on the map is a strided view of the product, and is copied once, without an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from attseg.attention.pointwise.terms import Normalize, Outside

ANCHORS = 360
"""About as many anchors a tile, and offsets a band: fewer waste a matrix product's speed, more waste filters and memory."""

OFFSETS = 256

WINDOW = 1 << 20
"""About as many filter weights are copied at a time; more rows of them at once are read from memory faster."""

EXCLUDED = -1e30
"""Score of a pair that is left out; finite, so that differences of two stay numbers."""


@dataclass(frozen=True)
class Span:
    """A part of one side of the map.

    Args:
        start: First anchor.
        length: How many anchors.
        first: First position that is scored for them.
        reach: How many positions are scored.
        least: Place, in the filters, of the smallest offset between an anchor and a scored position; negative if there is none.
    """

    start: int
    length: int
    first: int
    reach: int
    least: int

    @property
    def offsets(self) -> int:
        """How many offsets there are."""
        return self.reach + self.length - 1

    @property
    def anchors(self) -> slice:
        """Where the anchors are."""
        return slice(self.start, self.start + self.length)

    @property
    def scored(self) -> slice:
        """Where the scored positions are."""
        return slice(self.first, self.first + self.reach)


@dataclass(frozen=True)
class Band:
    """Some vertical offsets of a tile, and the anchors that have positions there.

    Args:
        first: First of the tile's vertical offsets.
        count: How many.
        start: First row of anchors.
        stop: Row of anchors after the last.
    """

    first: int
    count: int
    start: int
    stop: int


@dataclass(frozen=True)
class Tile:
    """Anchors in a rectangle, and the rectangle of positions that is scored for them."""

    rows: Span
    columns: Span

    @property
    def anchors(self) -> int:
        """How many anchors."""
        return self.rows.length * self.columns.length

    @property
    def scored(self) -> int:
        """How many positions are scored for each anchor."""
        return self.rows.reach * self.columns.reach

    @property
    def band(self) -> int:
        """Vertical offsets of a band."""
        return max(1, min(self.rows.offsets, round(OFFSETS / self.columns.offsets)))

    def bands(self) -> Iterator[Band]:
        """All vertical offsets, a band at a time; row i of the anchors has ``reach`` of them, from length - 1 - i on."""
        for first in range(0, self.rows.offsets, self.band):
            count = min(self.band, self.rows.offsets - first)
            start = max(0, self.rows.length - first - count)
            yield Band(first, count, start, min(self.rows.length, self.rows.length - 1 - first + self.rows.reach))

    def at_anchors(self, maps: Tensor) -> Tensor:
        """The anchors of (C, H, W), as a matrix (C, anchors)."""
        return maps[:, self.rows.anchors, self.columns.anchors].flatten(1)

    def at_scored(self, maps: Tensor) -> Tensor:
        """The scored positions of (C, H, W), as a view (C, rows, columns)."""
        return maps[:, self.rows.scored, self.columns.scored]


def make_tiles(
    size: tuple[int, int], filters: tuple[int, int], *, normalize: Normalize, outside: Outside
) -> list[Tile]:
    """Tiles that cover a map of ``size`` (H, W) for a bank of ``filters`` (MH, MW).

    Where pairs beyond the filters contribute nothing, they are not scored.
    """
    height, width = size
    columns = max(1, min(width, ANCHORS // height))
    rows = max(1, min(height, ANCHORS // columns))
    everywhere = normalize == "softmax" and outside == "zero"
    return [
        Tile(row, column)
        for column in _spans(width, columns, filters[1], everywhere)
        for row in _spans(height, rows, filters[0], everywhere)
    ]


def _spans(side: int, most: int, filters: int, everywhere: bool) -> Iterator[Span]:
    """Nearly equal parts of a side with at most so many anchors each."""
    parts, half = -(-side // most), filters // 2
    for part in range(parts):
        start, end = part * side // parts, (part + 1) * side // parts
        first, last = (0, side) if everywhere else (max(0, start - half), min(side, end + half))
        yield Span(start, end - start, first, last - first, first - (end - 1) + half)


class Scores:
    """The scores of one tile after another, and their way back, in memory that is allocated once.

    Args:
        filters: (D, MH, MW).
        tiles: All tiles that will be asked for.
        exclude: Whether offsets without a filter are left out rather than 0.
    """

    def __init__(self, filters: Tensor, tiles: list[Tile], *, exclude: bool) -> None:
        self._filters = filters
        self._exclude = exclude
        self._window = filters.new_empty(
            max(len(filters) * _rows(tile, len(filters)) * tile.columns.offsets for tile in tiles)
        )
        self._product = filters.new_empty(max(tile.anchors * tile.band * tile.columns.offsets for tile in tiles))
        self._scores = filters.new_empty(
            max(tile.anchors * _padded(tile) for tile in tiles), dtype=exact(filters.dtype)
        )

    def __call__(self, tile: Tile, features: Tensor) -> Tensor:
        """Scores (anchors, scored positions) from the features (anchors, D); valid until the next call, may be overwritten."""
        for first, bands in self._windows(tile):
            filters = self._copied(tile, first, bands)
            for band in bands:
                product = self._product_of(tile, band)
                torch.mm(_part(tile, band, features), _of_band(tile, band, filters, first), out=product)
                if self._exclude:
                    self._leave_out(tile, band, product)
                self._on_map(tile, band).copy_(_skewed(tile, band, product))
        return self._positions(tile)

    def backward(self, tile: Tile, of_scores: Tensor, features: Tensor, of_filters: Tensor) -> Tensor:
        """From the gradient of a tile's scores: that of the features (anchors, D); that of the filters (D, MH, MW) is added."""
        rows = self._scores[: tile.anchors * _padded(tile)].view(tile.anchors, -1)
        margin = (tile.band - 1) * tile.columns.reach
        rows[:, :margin].zero_()
        rows[:, margin + tile.scored :].zero_()
        rows[:, margin : margin + tile.scored].copy_(of_scores)
        of_features = torch.zeros_like(features, dtype=exact(features.dtype))
        for first, bands in self._windows(tile):
            filters = self._copied(tile, first, bands)
            of_window = torch.empty_like(filters)
            for band in bands:
                of_product = self._product_of(tile, band).zero_()
                _skewed(tile, band, of_product).copy_(self._on_map(tile, band))
                accumulate(_part(tile, band, of_features), of_product, _of_band(tile, band, filters, first).T)
                torch.mm(_part(tile, band, features).T, of_product, out=_of_band(tile, band, of_window, first))
            count = sum(band.count for band in bands)
            (y, of_y), (x, of_x) = self._overlap(tile, first, count)
            of_filters[:, of_y, of_x].add_(of_window.view(-1, count, tile.columns.offsets)[:, y, x])
        return of_features

    def _windows(self, tile: Tile) -> Iterator[tuple[int, list[Band]]]:
        """Bands whose filters are copied together, and the first of their vertical offsets."""
        bands, some = list(tile.bands()), _rows(tile, len(self._filters)) // tile.band
        for start in range(0, len(bands), some):
            yield bands[start].first, bands[start : start + some]

    def _copied(self, tile: Tile, first: int, bands: list[Band]) -> Tensor:
        """The filters of some bands as a matrix (D, offsets), 0 where there is no filter."""
        count, right = sum(band.count for band in bands), tile.columns.offsets
        window = self._window[: len(self._filters) * count * right].view(-1, count, right)
        (y, from_y), (x, from_x) = self._overlap(tile, first, count)
        filters = self._filters[:, from_y, from_x]
        if filters.shape != window.shape:
            window.zero_()
        window[:, y, x].copy_(filters)
        return window.flatten(1)

    def _leave_out(self, tile: Tile, band: Band, product: Tensor) -> None:
        (y, _), (x, _) = self._overlap(tile, band.first, band.count)
        if y.stop - y.start == band.count and x.stop - x.start == tile.columns.offsets:
            return
        scores = product.view(-1, band.count, tile.columns.offsets)
        for edge in (scores[:, : y.start], scores[:, y.stop :], scores[:, :, : x.start], scores[:, :, x.stop :]):
            edge.fill_(EXCLUDED)

    def _overlap(self, tile: Tile, first: int, count: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Of rows and of columns: which offsets of a band have filters, and which filters these are."""
        _, high, wide = self._filters.shape
        return _overlap(tile.rows.least + first, count, high), _overlap(tile.columns.least, tile.columns.offsets, wide)

    def _product_of(self, tile: Tile, band: Band) -> Tensor:
        anchors, offsets = (band.stop - band.start) * tile.columns.length, band.count * tile.columns.offsets
        return self._product[: anchors * offsets].view(anchors, offsets)

    def _positions(self, tile: Tile) -> Tensor:
        """The scores without their margins, (anchors, scored positions)."""
        margin = (tile.band - 1) * tile.columns.reach
        return self._scores[: tile.anchors * _padded(tile)].view(tile.anchors, -1)[:, margin : margin + tile.scored]

    def _on_map(self, tile: Tile, band: Band) -> Tensor:
        """Where the scores of a band lie, as a view (rows, columns of anchors, vertical offsets, positions in a row).

        For row i of the anchors, the vertical offset v falls on row v - (length - 1) + i; beyond the map are margins.
        """
        b, wide, stride = tile.columns.length, tile.columns.reach, _padded(tile)
        above = tile.band - 1 + band.first - (tile.rows.length - 1) + band.start
        return self._scores.as_strided(
            (band.stop - band.start, b, band.count, wide),
            (b * stride + wide, stride, wide, 1),
            band.start * b * stride + above * wide,
        )


def accumulate(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add a matrix product to ``total``, in its precision."""
    if total.dtype == left.dtype:
        total.addmm_(left, right)
    else:
        total.add_(left @ right)


def exact(dtype: torch.dtype) -> torch.dtype:
    """The type in which sums are kept: 32 bits for halves."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def _padded(tile: Tile) -> int:
    """Scores of an anchor with a margin above and below, where a band reaches beyond the map."""
    return (tile.rows.reach + 2 * (tile.band - 1)) * tile.columns.reach


def _rows(tile: Tile, channels: int) -> int:
    """Vertical offsets whose filters are copied together: whole bands."""
    return tile.band * max(1, WINDOW // (channels * tile.columns.offsets * tile.band))


def _of_band(tile: Tile, band: Band, window: Tensor, first: int) -> Tensor:
    """The part of a matrix (D, offsets), whose first vertical offset is given, that belongs to a band."""
    right = tile.columns.offsets
    return window[:, (band.first - first) * right : (band.first - first + band.count) * right]


def _part(tile: Tile, band: Band, anchors: Tensor) -> Tensor:
    """The rows of (anchors, D) that take part in a band."""
    return anchors[band.start * tile.columns.length : band.stop * tile.columns.length]


def _skewed(tile: Tile, band: Band, product: Tensor) -> Tensor:
    """The view (rows, columns of anchors, vertical offsets, positions in a row) of a product (anchors, offsets)."""
    b, right = tile.columns.length, tile.columns.offsets
    shape = band.stop - band.start, b, band.count, tile.columns.reach
    return product.as_strided(shape, (b * band.count * right, band.count * right - 1, right, 1), b - 1)


def _overlap(least: int, count: int, filters: int) -> tuple[slice, slice]:
    """Which of ``count`` offsets from ``least`` on have one of so many filters, and which filters these are."""
    first, last = min(max(0, least), filters), max(0, min(filters, least + count))
    if last <= first:
        return slice(0, 0), slice(0, 0)
    return slice(first - least, last - least), slice(first, last)
