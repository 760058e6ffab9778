"""Movable objects: vehicles, vessels, people, poles and wires.

Everything stands on its ``base`` (the lowest row) and is centred at ``x``; sizes are in pixels.
"""

from __future__ import annotations

import numpy as np

from attseg.data.classes import IGNORE
from attseg.data.sets.scenes.canvas import CONTEXT, SCALE, Canvas, Frame, Paint, Point, Rgb
from attseg.data.sets.scenes.sights import facade, wall_color
from attseg.data.sets.scenes.table import BOAT, BUS, CAR, PERSON, POLE, WIRE

Rng = np.random.Generator

COATS: tuple[Rgb, ...] = (
    (196, 54, 48),
    (38, 84, 150),
    (226, 182, 60),
    (60, 128, 96),
    (232, 228, 218),
    (112, 62, 116),
)
"""Colours of lacquer, hulls, tarpaulins and clothes alike: no class has its own."""

_GLASS = (70, 96, 116)
_DARK = (34, 34, 40)

_CAR_BODY = ((0, 0.84), (0.01, 0.54), (0.2, 0.44), (0.34, 0.04), (0.68, 0.02), (0.84, 0.42), (0.98, 0.5), (1, 0.84))
_CAR_WINDOWS = (
    ((0.27, 0.44), (0.38, 0.13), (0.49, 0.12), (0.49, 0.44)),
    ((0.53, 0.44), (0.53, 0.12), (0.66, 0.11), (0.77, 0.44)),
)
_HULL = ((0, 0.5), (1, 0.4), (0.86, 1), (0.08, 1))
_CABIN = ((0.18, 0.5), (0.24, 0.06), (0.56, 0.02), (0.68, 0.46))
_CABIN_WINDOW = ((0.28, 0.2), (0.56, 0.2), (0.56, 0.4), (0.28, 0.4))
_MAINSAIL = ((0.5, 0), (0.5, 0.74), (0.94, 0.72))
_JIB = ((0.46, 0.1), (0.46, 0.74), (0.08, 0.74))
_COVER_TOP = ((0, 0.5), (0.1, 0.44), (0.3, 0.38), (0.42, 0.06), (0.55, 0), (0.72, 0.1), (0.81, 0.42), (0.97, 0.5))
_COVER = (*_COVER_TOP, (1, 0.6), (0.96, 1), (0.12, 1))
_COVER_LIGHT = (*_COVER_TOP, (0.74, 0.52), (0.66, 0.2), (0.46, 0.18), (0.36, 0.5))
_COVER_HEM = ((0.09, 0.88), (0.97, 0.88), (0.96, 1), (0.12, 1))
_BUS_BODY = ((0, 0.9), (0, 0.06), (0.03, 0), (0.97, 0), (1, 0.06), (1, 0.9))
_BUS_STRIP = ((0, 0.8), (1, 0.8), (1, 0.83), (0, 0.83))
_BUS_LIGHT = ((0, 0.84), (0.05, 0.84), (0.05, 0.88), (0, 0.88))
_COAT = ((0.2, 0.18), (0.8, 0.18), (1, 0.6), (0, 0.6))


def car(canvas: Canvas, x: float, base: float, length: float, rng: Rng) -> None:
    """A car from the side, wheels and windows in sight."""
    frame = Frame.standing(x, base, length, 0.42 * length, flip=_flip(rng))
    paint = Paint(_coat(rng), CAR)
    canvas.shape(frame.fit(_CAR_BODY), paint)
    for window in _CAR_WINDOWS:
        canvas.shape(frame.fit(window), paint.tint(_GLASS))
    for place in (0.22, 0.79):
        _wheel(canvas, frame.at(place, 1), 0.1 * length, paint)


def boat(canvas: Canvas, x: float, base: float, length: float, rng: Rng) -> None:
    """A motor boat or a sailing boat, hull and superstructure in sight."""
    hull = Frame.standing(x, base, length, 0.4 * length, flip=_flip(rng))
    paint, sailing = Paint(_coat(rng), BOAT), rng.random() < 0.5
    white = paint.tint((244, 242, 236))
    if sailing:
        rig = hull._replace(top=base - 1.15 * length, height=1.15 * length)
        canvas.shape(rig.fit(_MAINSAIL), white)
        canvas.shape(rig.fit(_JIB), white)
        canvas.line(rig.fit(((0.48, 0), (0.48, 0.85))), 0.03 * length, paint.tint((92, 70, 52)))
    else:
        canvas.shape(hull.fit(_CABIN), white)
        canvas.shape(hull.fit(_CABIN_WINDOW), paint.tint(_GLASS))
    canvas.shape(hull.fit(_HULL), paint)
    canvas.line(hull.fit(_HULL[:2]), 0.04 * length, white)


def covered(canvas: Canvas, x: float, base: float, length: float, rng: Rng, *, label: int) -> None:
    """A car or a boat (the ``label``) under a tarpaulin: nothing about it tells which."""
    frame = Frame.standing(x, base, length, 0.46 * length, flip=_flip(rng))
    paint = Paint(_coat(rng), label, CONTEXT)
    canvas.shape(frame.fit(_COVER), paint)
    canvas.shape(frame.fit(_COVER_LIGHT), paint.shade(1.14))
    for fold in rng.uniform(0.14, 0.86, 4).tolist():
        canvas.line(frame.fit(((fold, 0.56), (fold + 0.03, 0.88))), 0.014 * length, paint.shade(0.78))
    canvas.shape(frame.fit(_COVER_HEM), paint.shade(0.66))


def bus(canvas: Canvas, x: float, base: float, length: float, rng: Rng) -> None:
    """A double-decker whose side is a house wall; only its outline and wheels tell."""
    frame = Frame.standing(x, base, length, 0.62 * length, flip=_flip(rng))
    paint = Paint(wall_color(rng), BUS, SCALE)
    canvas.shape(frame.fit(_BUS_BODY), paint)
    facade(canvas, frame._replace(height=0.76 * frame.height), length / 6, paint, rng)
    canvas.shape(frame.fit(_BUS_STRIP), paint.shade(0.72))
    canvas.shape(frame.fit(_BUS_LIGHT), paint.tint((255, 244, 190)))
    for place in (0.2, 0.78):
        _wheel(canvas, frame.at(place, 1), 0.08 * length, paint)


def person(canvas: Canvas, x: float, base: float, height: float, rng: Rng) -> None:
    """Someone who stands or walks."""
    frame = Frame.standing(x, base, 0.28 * height, height)
    coat, legs = Paint(_coat(rng), PERSON), Paint(_DARK, PERSON)
    stride = rng.uniform(0.1, 0.5)
    for foot in (0.5 - stride, 0.5 + stride):
        canvas.line(frame.fit(((0.5, 0.55), (foot, 1))), 0.1 * height, legs)
    canvas.shape(frame.fit(_COAT), coat)
    canvas.disc(x, base - 0.9 * height, 0.1 * height, coat.tint((206, 158, 124)))


def lamp(canvas: Canvas, x: float, base: float, thickness: float, rng: Rng, *, top: float, arm: float) -> None:
    """A street lamp that ends at the row ``top``; its arm reaches to the right, or to the left where negative."""
    paint = Paint((58, 60, 66), POLE)
    canvas.box(x - thickness / 2, top, thickness, base - top, paint)
    canvas.box(min(x, x + arm), top, abs(arm), max(1, thickness / 2), paint)
    canvas.disc(x + arm, top + 1, max(1, abs(arm) / 3), paint.tint((250, 236, 180)), flat=0.6)


def wire(canvas: Canvas, start: Point, end: Point, sag: float, width: float) -> None:
    """A wire that hangs ``sag`` below the straight line at its middle."""
    steps = [step / 12 for step in range(13)]
    points = [((1 - t) * start[0] + t * end[0], (1 - t) * start[1] + t * end[1] + 4 * sag * t * (1 - t)) for t in steps]
    canvas.line(points, width, Paint((44, 44, 50), WIRE))


def bird(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A gull: nothing that a class stands for, so it is ignored."""
    wings = ((x - size, y - size / 2), (x, y), (x + size, y - size / 2))
    canvas.line(wings, max(1, size / 4), Paint((246, 246, 246), IGNORE))


def balloon(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """A hot-air balloon, as ignored as the gulls; its left half is the mirrored right one."""
    red, white, basket = Paint((214, 44, 52), IGNORE), Paint((246, 244, 238), IGNORE), Paint((92, 62, 40), IGNORE)
    canvas.shape(
        ((x - 0.8 * radius, y + 0.6 * radius), (x + 0.8 * radius, y + 0.6 * radius), (x, y + 1.7 * radius)), red
    )
    canvas.disc(x, y, radius, red)
    canvas.box(x - 0.25 * radius, y - 0.95 * radius, 0.5 * radius, 1.9 * radius, white)
    canvas.box(x - 0.2 * radius, y + 1.5 * radius, 0.4 * radius, 0.35 * radius, basket)


def _wheel(canvas: Canvas, ground: Point, radius: float, paint: Paint) -> None:
    x, base = ground
    canvas.disc(x, base - radius, radius, paint.tint(_DARK))
    canvas.disc(x, base - radius, 0.45 * radius, paint.tint((170, 170, 170)))


def _flip(rng: Rng) -> bool:
    return bool(rng.random() < 0.5)


def _coat(rng: Rng) -> Rgb:
    red, green, blue = COATS[int(rng.integers(len(COATS)))]
    light = rng.uniform(0.82, 1.1)
    return red * light, green * light, blue * light
