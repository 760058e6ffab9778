"""Fixed objects: houses, lighthouses and trees.

Everything stands on its ``base`` (the lowest row); sizes are in pixels.
"""

from __future__ import annotations

import numpy as np

from attseg.data.sets.scenes.canvas import SCALE, Canvas, Frame, Paint, Rgb
from attseg.data.sets.scenes.table import BUILDING, TREE

Rng = np.random.Generator

WALLS: tuple[Rgb, ...] = (
    (190, 92, 70),
    (214, 166, 92),
    (226, 212, 184),
    (96, 142, 146),
    (158, 72, 66),
    (146, 164, 128),
    (138, 160, 190),
)
"""Colours of house walls and of buses."""

_PANES: tuple[Rgb, ...] = ((52, 66, 84), (250, 226, 150), (128, 160, 180))
_ROOFS: tuple[Rgb, ...] = ((116, 58, 50), (78, 74, 84), (92, 84, 72))
_LEAVES: Rgb = (62, 116, 66)

_CROWN = ((-0.18, 0.48, 0.2, 0.86), (0.17, 0.5, 0.21, 0.92), (0, 0.7, 0.27, 1.0), (-0.08, 0.76, 0.14, 1.16))
"""Discs of a crown: right of the trunk, above the ground, radius, light."""


def facade(canvas: Canvas, wall: Frame, pitch: float, paint: Paint, rng: Rng) -> None:
    """Windows on a wall, one every ``pitch`` pixels unless they are too small to see; the wall is there."""
    panes = paint.tint(_PANES[int(rng.integers(len(_PANES)))])
    if pitch < 1.5:
        return
    columns, rows = int(wall.width / pitch), int(wall.height / (1.4 * pitch))
    left, top = wall.left + (wall.width - columns * pitch) / 2, wall.top + (wall.height - rows * 1.4 * pitch) / 2
    for row in range(rows):
        y = top + (1.4 * row + 0.3) * pitch
        for column in range(columns):
            canvas.box(left + (column + 0.22) * pitch, y, 0.56 * pitch, 0.84 * pitch, panes)


def house(canvas: Canvas, x: float, base: float, width: float, height: float, rng: Rng) -> None:
    """A house with a flat or a pitched roof."""
    frame = Frame.standing(x, base, width, height)
    wall = Paint(wall_color(rng), BUILDING)
    canvas.box(frame.left, frame.top, width, height, wall)
    facade(canvas, frame, width / (2 + int(rng.integers(3))), wall, rng)
    rise = rng.uniform(0.2, 0.45) * width if rng.random() < 0.6 else 0
    roof = ((-0.04, 0.03), (-0.04, 0), (0.5, -rise / height), (1.04, 0), (1.04, 0.03))
    canvas.shape(frame.fit(roof), wall.tint(_ROOFS[int(rng.integers(len(_ROOFS)))]))


def near_house(canvas: Canvas, x: float, base: float, width: float, height: float, rng: Rng) -> None:
    """A house close by: its inside is that of a large bus."""
    frame = Frame.standing(x, base, width, height)
    wall = Paint(wall_color(rng), BUILDING, SCALE)
    canvas.box(frame.left, frame.top, width, height, wall)
    facade(canvas, frame, rng.uniform(0.2, 0.4) * width, wall, rng)
    canvas.shape(frame.fit(((-0.05, 0), (1.05, 0), (1.05, 0.04), (-0.05, 0.04))), wall.shade(0.7))
    canvas.shape(frame.fit(((0, 0.97), (1, 0.97), (1, 1), (0, 1))), wall.shade(0.8))


def lighthouse(canvas: Canvas, x: float, base: float, height: float) -> None:
    """A tower in red and white on a green island."""
    frame = Frame.standing(x, base, 0.26 * height, height)
    tower = Paint((240, 238, 232), BUILDING)
    canvas.disc(x, base, 0.55 * height, Paint((92, 128, 92), TREE), flat=0.3)
    for band in range(4):
        low, high, slope = 1 - 0.2 * band, 0.8 - 0.2 * band, 0.08 * band
        outline = ((slope, low), (1 - slope, low), (0.92 - slope, high), (0.08 + slope, high))
        canvas.shape(frame.fit(outline), tower.tint((200, 58, 50)) if band % 2 else tower)
    canvas.shape(frame.fit(((0.24, 0.2), (0.76, 0.2), (0.76, 0.08), (0.24, 0.08))), tower.tint((252, 226, 120)))
    canvas.shape(frame.fit(((0.1, 0.1), (0.5, 0), (0.9, 0.1))), tower.tint((160, 44, 44)))


def tree(canvas: Canvas, x: float, base: float, height: float, rng: Rng) -> None:
    """A tree with a round crown."""
    leaves = Paint(_LEAVES, TREE).shade(rng.uniform(0.75, 1.15))
    canvas.box(x - 0.05 * height, base - 0.4 * height, 0.1 * height, 0.4 * height, leaves.tint((92, 70, 52)))
    for dx, dy, radius, light in _CROWN:
        canvas.disc(x + dx * height, base - dy * height, radius * height, leaves.shade(light))


def wall_color(rng: Rng) -> Rgb:
    """A colour for the wall of a house or the side of a bus."""
    red, green, blue = WALLS[int(rng.integers(len(WALLS)))]
    light = rng.uniform(0.88, 1.08)
    return red * light, green * light, blue * light
