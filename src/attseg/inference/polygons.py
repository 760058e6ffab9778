"""Outlines of the regions in a label map, from which the same label map can be drawn again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attseg.data.regions import find_regions
from attseg.data.sample import Array

Points = npt.NDArray[np.int64]
"""(N, 2) x to the right and y down."""

MOVES = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""(down, right) Steps along the top, right, bottom and left side of a pixel, clockwise."""

OUTWARD = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""(down, right) The pixel beyond each side."""

STARTS = ((0, 0), (1, 0), (1, 1), (0, 1))
"""(right, down) The corner of a pixel at which each side starts."""


@dataclass(frozen=True, eq=False)
class Polygon:
    """The outline of a region: connected pixels of one class, without those that touch at a corner alone.

    Args:
        label: Class of the region, or 255.
        area: How many pixels it has.
        outer: (N, 2) Corners of the outline along the outer borders of pixels, so that the first pixel reaches from 0 to 1.
        holes: (M, 2) The same of each hole, the other way round.
        border: (L, 2) Corners of a line through the middle of the outermost pixels, whose coordinates are their column and row:
            the outline for programs that draw the border with the polygon, such as labelme. Holes are filled.
    """

    label: int
    area: int
    outer: Points
    holes: Sequence[Points]
    border: Points


def polygons(labels: Array) -> list[Polygon]:
    """The outlines of all regions of a label map (H, W), those that can lie in others' holes behind these.

    ``outer`` and ``holes``, filled where the centre of a pixel lies inside, give each region. ``border``, filled with its line,
    one after another, gives the label map.

    Example:
        >>> (only,) = polygons(np.zeros((2, 3), np.uint8))
        >>> only.outer.tolist(), only.border.tolist(), only.area
        ([[0, 0], [3, 0], [3, 2], [0, 2]], [[2, 0], [2, 1], [0, 1], [0, 0]], 6)
    """
    ids, values, areas = find_regions(labels, corners=False)
    loops: list[list[npt.NDArray[np.int64]]] = [[] for _ in areas]
    for loop in _loops(ids):
        loops[ids.flat[loop[0] // 4]].append(loop)  # the first loop of a region begins at its top, and is the outer one
    width = labels.shape[1]
    found = [
        Polygon(
            int(value),
            int(area),
            _corners(outer, width),
            [_corners(hole, width) for hole in holes],
            _border(outer, width),
        )
        for value, area, (outer, *holes) in zip(values, areas, loops, strict=True)
    ]
    return sorted(found, key=lambda one: -_enclosed(one.outer))


def _enclosed(outline: Points) -> float:
    """Pixels inside of an outline, with its holes."""
    x, y = outline.T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def keyhole(polygon: Polygon) -> Points:
    """(N, 2) One outline of a region with holes, each of which hangs on the rest by a line that is walked there and back."""
    path = polygon.outer
    for hole in polygon.holes:
        nearest = int(np.abs(path - hole[0]).sum(axis=1).argmin())
        path = np.concatenate((path[: nearest + 1], hole, hole[:1], path[nearest:]))
    return path


def _loops(ids: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Closed walks along the sides of pixels with the region to the right, each side as 4 * pixel + number."""
    height, width = ids.shape
    around = np.full((height + 2, width + 2), -1, np.int64)
    around[1:-1, 1:-1] = ids

    def same(down: int, right: int) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = around[1 + down : height + 1 + down, 1 + right : width + 1 + right] == ids
        return found

    pixels = np.arange(ids.size).reshape(ids.shape)
    sides, following = [], []
    for side, ((down, right), (out, beyond)) in enumerate(zip(MOVES, OUTWARD, strict=True)):
        here = ~same(out, beyond)
        step = down * width + right
        straight = np.where(
            same(down + out, right + beyond),
            4 * (pixels + step + out * width + beyond) + (side + 3) % 4,
            4 * (pixels + step) + side,
        )
        after = np.where(same(down, right), straight, 4 * pixels + (side + 1) % 4)
        sides.append(4 * pixels[here] + side)
        following.append(after[here])
    every, then = np.concatenate(sides), np.concatenate(following)
    order = np.argsort(every)
    every = every[order]
    next_of = np.searchsorted(every, then[order]).tolist()
    done = bytearray(len(every))
    for start in range(len(every)):
        if done[start]:
            continue
        walk, at = [], start
        while not done[at]:
            done[at] = 1
            walk.append(at)
            at = next_of[at]
        yield every[walk]


def _corners(loop: npt.NDArray[np.int64], width: int) -> Points:
    sides = loop % 4
    turns = loop[sides != np.roll(sides, 1)]
    y, x = np.divmod(turns // 4, width)
    return np.stack((x, y), axis=1) + np.array(STARTS)[turns % 4]


def _border(loop: npt.NDArray[np.int64], width: int) -> Points:
    """The pixels along a loop where its direction changes; at least three points, which may be equal."""
    pixels = loop // 4
    pixels = pixels[pixels != np.roll(pixels, 1)] if (pixels != pixels[0]).any() else pixels[:1]
    y, x = np.divmod(pixels, width)
    points = np.stack((x, y), axis=1)
    come = points - np.roll(points, 1, axis=0)
    points = points[(come != np.roll(come, -1, axis=0)).any(axis=1)] if len(points) > 2 else points
    return points[np.arange(max(3, len(points))) % len(points)]
