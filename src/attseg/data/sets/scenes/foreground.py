"""The foreground: traffic on the surface, lamps and wires, and everything on the quay."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from attseg.data.sets.scenes import sights, things
from attseg.data.sets.scenes.backdrop import Stage
from attseg.data.sets.scenes.canvas import Canvas, Paint
from attseg.data.sets.scenes.table import BOAT, CAR

Rng = np.random.Generator
Painter = Callable[[Canvas, float, float, float, Rng], None]
"""Paints one thing: where (x and base), how large, and by which dice."""

SMALLEST = 4
"""Length of the smallest bus in pixels; the largest is nearly as long as the shorter side of the picture."""


class Standing(NamedTuple):
    """One thing that is going to be painted."""

    painter: Painter
    x: float
    base: float
    size: float


def paint_traffic(canvas: Canvas, stage: Stage, painter: Painter, rng: Rng) -> None:
    """Cars or boats on the surface, larger where nearer; they tell the world from nearby."""
    count = round(rng.uniform(1.5, 4) * stage.crowd)
    first, last = stage.horizon + 0.12 * stage.height, stage.shore - 0.02 * stage.height
    for base in sorted(rng.uniform(first, last, count).tolist()):
        depth = (base - stage.horizon) / (stage.height - stage.horizon)
        length = rng.uniform(0.8, 1.2) * (0.06 + 0.55 * depth) * stage.unit
        painter(canvas, rng.uniform(0, stage.width), base, length, rng)


def paint_near_house(canvas: Canvas, stage: Stage, rng: Rng) -> None:
    """A house at the left or right edge of the picture that reaches high into the sky."""
    width = min(rng.uniform(0.3, 0.6) * stage.unit, 0.45 * stage.width)
    x = width / 2 if rng.random() < 0.5 else stage.width - width / 2
    base = stage.shore + rng.uniform(0.05, 0.15) * stage.height
    height = base - rng.uniform(0.05, 0.2) * stage.height
    sights.near_house(canvas, x, base, width, height, rng)


def lamps(stage: Stage, rng: Rng) -> list[Standing]:
    """Street lamps, all equally tall and 1 to 3 pixels wide."""
    thickness = int(rng.integers(1, 4))
    painter = partial(things.lamp, top=stage.lamp_top, arm=rng.uniform(-0.09, 0.09) * stage.unit)
    standing = []
    for _ in range(max(1, round(rng.uniform(1, 2.2) * stage.crowd))):
        base = rng.uniform(stage.shore + 0.03 * stage.height, 0.95 * stage.height)
        standing.append(Standing(painter, rng.uniform(0.04, 0.96) * stage.width, base, thickness))
    return standing


def paint_wires(canvas: Canvas, stage: Stage, lamps: list[Standing], rng: Rng) -> None:
    """Wires of 1 or 2 pixels from one lamp to the next and out of the picture."""
    y = stage.lamp_top + rng.uniform(0.01, 0.04) * stage.height
    for start, end in pairwise([-0.4 * stage.width, *sorted(lamp.x for lamp in lamps), 1.4 * stage.width]):
        sag, width = rng.uniform(0.01, 0.07) * stage.height, rng.uniform(1.3, 2)
        things.wire(canvas, (start, y), (end, y), sag, width)


def paint_birds(canvas: Canvas, stage: Stage, rng: Rng) -> None:
    """A few gulls in the sky."""
    for _ in range(int(rng.integers(4))):
        x, y = rng.uniform(0, stage.width), rng.uniform(0.1, 0.8) * stage.horizon
        things.bird(canvas, x, y, rng.uniform(0.012, 0.03) * stage.unit)


def covered(stage: Stage, label: int, rng: Rng) -> list[Standing]:
    """Cars or boats (the ``label``) under tarpaulins, side by side, out of reach of the far side."""
    count = max(1, round(rng.uniform(0.6, 2.6) * stage.crowd))
    slot = stage.width / count
    painter = partial(things.covered, label=label)
    standing = []
    for index in range(count):
        size = min(rng.uniform(0.16, 0.42) * stage.unit, 0.95 * slot)
        x = (index + 0.5) * slot + rng.uniform(-0.5, 0.5) * (slot - size)
        standing.append(Standing(painter, x, rng.uniform(0.86, 0.97) * stage.height, size))
    return standing


def covered_pair(stage: Stage, rng: Rng, *, twin: bool) -> tuple[list[Standing], float]:
    """A car and a boat of one size under tarpaulins; with them, the x of the car, which the balloon floats above.

    Which of the two is the car is thrown last and apart from their places; in the ``twin`` it is the other one.
    """
    size = min(rng.uniform(0.16, 0.42) * stage.unit, 0.4 * stage.width)
    gap = rng.uniform(1.5 * size, stage.width - size)
    left = size / 2 + rng.random() * (stage.width - size - gap)
    bases = (rng.uniform(0.86, 0.97, 2) * stage.height).tolist()
    car = int(rng.integers(2)) ^ twin
    standing = [
        Standing(partial(things.covered, label=CAR if place == car else BOAT), left + place * gap, base, size)
        for place, base in enumerate(bases)
    ]
    return standing, standing[car].x


def paint_balloon(canvas: Canvas, stage: Stage, x: float, rng: Rng) -> None:
    """A balloon in the sky above ``x``."""
    things.balloon(canvas, x, rng.uniform(0.3, 0.5) * stage.horizon, 0.08 * stage.unit)


def buses(stage: Stage, longest: float, rng: Rng) -> list[Standing]:
    """Up to two buses of ``SMALLEST`` pixels to ``longest`` units, no length likelier than its double."""
    standing = []
    for _ in range(int(rng.integers(3))):
        share = rng.random()
        size = SMALLEST * max(1, longest * stage.unit / SMALLEST) ** share
        base = stage.shore + (0.05 + 0.15 * share) * stage.height
        standing.append(Standing(things.bus, rng.uniform(0, stage.width), base, size))
    return standing


def near_bus(stage: Stage, rng: Rng) -> Standing:
    """A bus so close that it fills much of the picture; above it the far side can still be seen."""
    size = rng.uniform(0.45, 0.95) * stage.unit
    x = size / 2 + rng.uniform(-0.1, 1.1) * (stage.width - size)
    return Standing(things.bus, x, rng.uniform(0.9, 0.97) * stage.height, size)


def people(stage: Stage, rng: Rng) -> list[Standing]:
    """People on the quay, taller where nearer."""
    standing = []
    for _ in range(round(rng.uniform(0.4, 3) * stage.crowd)):
        depth = rng.random()
        base = stage.shore + (0.04 + 0.92 * depth) * (stage.height - stage.shore)
        size = rng.uniform(0.85, 1.15) * (0.07 + 0.1 * depth) * stage.unit
        standing.append(Standing(things.person, rng.uniform(0, stage.width), base, size))
    return standing


def paint_standing(canvas: Canvas, standing: list[Standing], ground: Paint, rng: Rng) -> None:
    """Everything on the quay from far to near, each with its shadow on the ground."""
    for painter, x, base, size in sorted(standing, key=lambda one: one.base):
        spread = 0.16 if painter is things.person else 0.52
        canvas.disc(x, base, spread * size, ground.shade(0.72), flat=0.12)
        painter(canvas, x, base, size, rng)
