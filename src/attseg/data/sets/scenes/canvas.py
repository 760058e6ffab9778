"""Painting by numbers: a stroke leaves its number, and the number stands for a colour, a class and perhaps a probe.

The picture and its labels come from the same strokes, so they fit by construction: colours are averaged over the four
points of a pixel, the class is that of one point and never mixed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from attseg.data.classes import IGNORE
from attseg.data.sample import Array

Point = tuple[float, float]
Rgb = tuple[float, float, float]

NO_PROBE, CONTEXT, SCALE = range(3)

_POINTS = 2
"""Points a pixel and axis."""


class Paint(NamedTuple):
    """A stroke's colour (0..255), class, and probe."""

    color: Rgb
    label: int
    probe: int = NO_PROBE

    def shade(self, factor: float) -> Paint:
        """The same paint, darker (below 1) or lighter."""
        red, green, blue = self.color
        return self._replace(color=(red * factor, green * factor, blue * factor))

    def tint(self, color: Rgb) -> Paint:
        """Another colour for the same class and probe."""
        return self._replace(color=color)


class Frame(NamedTuple):
    """Where a thing stands: its box in pixels; outlines are given in it as a unit square and perhaps mirrored."""

    left: float
    top: float
    width: float
    height: float
    flip: bool = False

    @classmethod
    def standing(cls, x: float, base: float, width: float, height: float, *, flip: bool = False) -> Frame:
        """The box whose lower edge is at ``base`` and its centre at ``x``."""
        return cls(x - width / 2, base - height, width, height, flip)

    def at(self, u: float, v: float) -> Point:
        """The point in the picture for (u, v) in the unit square."""
        return self.left + (1 - u if self.flip else u) * self.width, self.top + v * self.height

    def fit(self, outline: Iterable[Point]) -> list[Point]:
        """All points of an outline in the picture."""
        return [self.at(u, v) for u, v in outline]


class Canvas:
    """An empty picture to paint on; all coordinates are in pixels, x to the right and y down.

    Args:
        height: Of the picture, in pixels.
        width: Of the picture, in pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height = height
        self.width = width
        self._numbers = Image.new("I", (_POINTS * width, _POINTS * height))
        self._draw = ImageDraw.Draw(self._numbers)
        self._paints = [Paint((0, 0, 0), IGNORE)]

    def box(self, x: float, y: float, width: float, height: float, paint: Paint) -> None:
        """A rectangle with its upper left corner at (x, y), at least one point wide and high."""
        self._draw.rectangle(_corners(x, y, width, height), self._number(paint))

    def disc(self, x: float, y: float, radius: float, paint: Paint, *, flat: float = 1.0) -> None:
        """A disc around (x, y), or an ellipse that is ``flat`` times as high as wide."""
        corners = _corners(x - radius, y - radius * flat, 2 * radius, 2 * radius * flat)
        self._draw.ellipse(corners, self._number(paint))

    def shape(self, points: Iterable[Point], paint: Paint) -> None:
        """A polygon."""
        self._draw.polygon([(x * _POINTS, y * _POINTS) for x, y in points], self._number(paint))

    def line(self, points: Iterable[Point], width: float, paint: Paint) -> None:
        """A line through all points, at least one point wide."""
        scaled = [(x * _POINTS, y * _POINTS) for x, y in points]
        self._draw.line(scaled, self._number(paint), max(1, round(width * _POINTS)))

    def fade(self, top: float, bottom: float, colors: tuple[Rgb, Rgb], label: int) -> None:
        """Rows from ``top`` to ``bottom`` over the whole width, from the first colour to the second."""
        steps = int(min(48, max(2, bottom - top)))
        for step in range(steps):
            y = top + (bottom - top) * step / steps
            self.box(0, y, self.width, bottom - y, Paint(mix(*colors, step / (steps - 1)), label))

    def image(self) -> Image.Image:
        """The picture (RGB) with smooth edges."""
        colors = np.array([paint.color for paint in self._paints])
        quads = np.zeros((len(colors), 4), np.uint8)
        quads[:, :3] = np.clip(colors, 0, 255)
        painted = quads.view(np.uint32)[:, 0][np.asarray(self._numbers)]
        return Image.fromarray(painted.view(np.uint8).reshape(*painted.shape, 4)).convert("RGB").reduce(_POINTS)

    def labels(self) -> tuple[Array, Array]:
        """Class and probe of every pixel, each (H, W)."""
        numbers = np.asarray(self._numbers)[::_POINTS, ::_POINTS]
        labels = np.array([paint.label for paint in self._paints], np.uint8)
        probes = np.array([paint.probe for paint in self._paints], np.uint8)
        return labels[numbers], probes[numbers]

    def _number(self, paint: Paint) -> int:
        self._paints.append(paint)
        return len(self._paints) - 1


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """The colour that is ``share`` of the way from the first to the second."""
    red, green, blue = ((1 - share) * a + share * b for a, b in zip(first, second, strict=True))
    return red, green, blue


def _corners(x: float, y: float, width: float, height: float) -> tuple[int, int, int, int]:
    left, top = round(x * _POINTS), round(y * _POINTS)
    return left, top, max(left, round((x + width) * _POINTS) - 1), max(top, round((y + height) * _POINTS) - 1)
