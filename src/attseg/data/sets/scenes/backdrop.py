"""The backdrop: sky, the wide surface, the far side, and the quay in front.

Painted from far to near. Only ``paint_town`` and ``paint_sea`` know which world it is, apart from the class of the surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attseg.data.classes import IGNORE
from attseg.data.sets.scenes import sights, things
from attseg.data.sets.scenes.canvas import Canvas, Paint, Rgb
from attseg.data.sets.scenes.table import QUAY, ROAD, SKY, TREE

Rng = np.random.Generator

FAR_END = 0.36
"""Share of the height above which the far side lies, with all that stands there."""


@dataclass(frozen=True)
class Theme:
    """The colours of one time of day, each from far (or top) to near (or bottom)."""

    sky: tuple[Rgb, Rgb]
    cloud: Rgb
    sun: Rgb
    surface: tuple[Rgb, Rgb]
    quay: tuple[Rgb, Rgb]


THEMES = (
    Theme(  # noon
        sky=((92, 156, 214), (206, 230, 240)),
        cloud=(246, 248, 250),
        sun=(255, 248, 214),
        surface=((136, 146, 156), (78, 88, 100)),
        quay=((196, 192, 184), (168, 164, 158)),
    ),
    Theme(  # morning
        sky=((138, 168, 206), (250, 222, 204)),
        cloud=(252, 236, 226),
        sun=(255, 232, 190),
        surface=((152, 148, 158), (88, 88, 102)),
        quay=((206, 192, 180), (176, 164, 156)),
    ),
    Theme(  # evening
        sky=((88, 84, 142), (252, 174, 116)),
        cloud=(250, 204, 170),
        sun=(255, 220, 140),
        surface=((150, 126, 130), (74, 68, 84)),
        quay=((190, 168, 158), (154, 138, 136)),
    ),
    Theme(  # overcast
        sky=((158, 170, 180), (220, 224, 226)),
        cloud=(232, 234, 236),
        sun=(234, 236, 236),
        surface=((138, 142, 146), (82, 86, 92)),
        quay=((180, 180, 178), (154, 154, 152)),
    ),
)


@dataclass(frozen=True)
class Stage:
    """Where things are, in pixels: rows of horizon, quay edge and lamp tops, and the unit that things are measured in."""

    height: int
    width: int
    horizon: float
    shore: float
    lamp_top: float
    unit: float
    crowd: float
    """How many units the picture is wide: so many times more there is to see."""


def plan(canvas: Canvas, shore: float, rng: Rng) -> Stage:
    """Measure out the scene; the quay begins at the share ``shore`` of the height."""
    height, width = canvas.height, canvas.width
    unit = min(height, 1.5 * width)
    horizon, lamp_top = rng.uniform(0.25, 0.3) * height, rng.uniform(0.04, 0.16) * height
    return Stage(height, width, horizon, shore * height, lamp_top, unit, crowd=max(1, width / unit))


def window(stage: Stage, rng: Rng) -> tuple[float, float]:
    """From where to where the far side can be seen, where a park hides the rest: a quarter of the width, or more."""
    width = rng.uniform(0.25, 1) * stage.width
    start = rng.uniform(0, stage.width - width)
    return start, start + width


def paint_sky(canvas: Canvas, stage: Stage, theme: Theme, rng: Rng) -> None:
    """Sky with clouds, and sometimes the sun."""
    canvas.fade(0, stage.horizon + 1, theme.sky, SKY)
    if rng.random() < 0.5:
        x, y = rng.uniform(0.1, 0.9) * stage.width, rng.uniform(0.3, 0.8) * stage.horizon
        canvas.disc(x, y, rng.uniform(0.03, 0.06) * stage.unit, Paint(theme.sun, SKY))
    for _ in range(round(3 * stage.crowd)):
        x, y = rng.uniform(0, stage.width), rng.uniform(0.05, 0.7) * stage.horizon
        size = rng.uniform(0.03, 0.07) * stage.unit
        for dx, radius in ((-1.4, 0.8), (-0.4, 1.1), (0.6, 1.25), (1.7, 0.7)):
            canvas.disc(x + dx * size, y, radius * size, Paint(theme.cloud, SKY), flat=0.42)


def paint_surface(canvas: Canvas, stage: Stage, theme: Theme, label: int, rng: Rng) -> None:
    """Wet asphalt or water (the ``label``): the same colours, the same glints."""
    canvas.fade(stage.horizon, stage.shore, theme.surface, label)
    near = Paint(theme.surface[1], label)
    glints = rng.random((round(36 * stage.crowd), 4))
    for x, depth, length, light in glints.tolist():
        y = stage.horizon + depth * (stage.shore - stage.horizon)
        size = (0.03 + 0.14 * depth) * (0.5 + length) * stage.unit
        canvas.box(x * stage.width - size / 2, y, size, 0.008 * stage.unit, near.shade(0.9 + 0.75 * light))


def paint_town(canvas: Canvas, stage: Stage, window: tuple[float, float], rng: Rng) -> None:
    """A row of houses in the ``window``, along a street with cars."""
    unit, ground = stage.unit, stage.horizon + 0.012 * stage.height
    x = window[0] - rng.uniform(0, 0.1) * unit
    while x < window[1]:
        width = rng.uniform(0.1, 0.22) * unit
        sights.house(canvas, x + width / 2, ground, width, rng.uniform(0.08, 0.19) * unit, rng)
        x += width
    for _ in range(round(2 * stage.crowd)):
        sights.tree(canvas, rng.uniform(*window), ground, rng.uniform(0.06, 0.11) * unit, rng)
    dash = Paint((226, 224, 210), ROAD)
    for x in np.arange(0, stage.width, 0.12 * unit).tolist():
        canvas.box(x, (FAR_END - 0.02) * stage.height, 0.06 * unit, 0.006 * unit, dash)
    for base in _far_bases(stage, rng):
        things.car(canvas, rng.uniform(0, stage.width), base, rng.uniform(0.06, 0.11) * unit, rng)


def paint_sea(canvas: Canvas, stage: Stage, window: tuple[float, float], rng: Rng) -> None:
    """An open horizon with boats, and a lighthouse within the ``window``."""
    unit, (start, end) = stage.unit, window
    x = start + rng.uniform(0.2, 0.8) * (end - start)
    sights.lighthouse(canvas, x, stage.horizon + 0.012 * stage.height, rng.uniform(0.15, 0.22) * unit)
    for base in _far_bases(stage, rng):
        things.boat(canvas, rng.uniform(0, stage.width), base, rng.uniform(0.06, 0.12) * unit, rng)


def paint_quay(canvas: Canvas, stage: Stage, theme: Theme, rng: Rng) -> None:
    """Paving in perspective with a few leaves and stains; what its edge belongs to is left open."""
    height, width, shore = stage.height, stage.width, stage.shore
    canvas.fade(shore, height, theme.quay, QUAY)
    joint = Paint(theme.quay[1], QUAY).shade(0.9)
    vanishing = rng.uniform(0.2, 0.8) * width
    thin = 0.004 * stage.unit
    for row in range(1, 7):
        canvas.box(0, shore + (height - shore) * (row / 7) ** 1.7, width, thin, joint)
    reach = (height - stage.horizon) / (shore - stage.horizon)
    for x in np.arange(-2 * width, 3 * width, 0.22 * stage.unit).tolist():
        canvas.line(((x, shore), (vanishing + (x - vanishing) * reach, height)), thin, joint)
    for x, y, size, light in rng.random((round(12 * stage.crowd), 4)).tolist():
        spot = (x * width, shore + (0.1 + 0.9 * y) * (height - shore))
        canvas.disc(*spot, (0.004 + 0.012 * size) * stage.unit, joint.shade(0.75 + 0.4 * light), flat=0.5)
    canvas.box(0, shore - 0.004 * height, width, max(1, 0.014 * height), Paint(theme.quay[0], IGNORE).shade(1.1))


def paint_park(canvas: Canvas, stage: Stage, window: tuple[float, float], rng: Rng) -> None:
    """Trees on a bank that hide the far side to the left and right of the ``window``, the same in both worlds."""
    bank = Paint((84, 124, 74), TREE)
    top, bottom = stage.horizon - 0.02 * stage.height, FAR_END * stage.height
    for start, end in ((0, window[0]), (window[1], stage.width)):
        if end - start < 1:
            continue
        canvas.box(start, top, end - start, bottom - top, bank)
        for x in np.arange(start, end, 0.07 * stage.unit).tolist():
            base = bottom - rng.uniform(0, 0.04) * stage.height
            sights.tree(canvas, x, base, rng.uniform(0.14, 0.24) * stage.unit, rng)


def _far_bases(stage: Stage, rng: Rng) -> list[float]:
    count = round(rng.uniform(2, 4) * stage.crowd)
    return sorted(rng.uniform(stage.horizon + 0.015 * stage.height, (FAR_END - 0.01) * stage.height, count).tolist())
