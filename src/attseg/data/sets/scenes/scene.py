"""One scene: a quay, behind it a wide dark surface, and on the far side a town or the sea.

The surface is a road before a town and water before the sea, and what stands covered on the quay is a car before a town and
a boat before the sea. Nothing near them tells: what differs between the two worlds lies far up in the picture.

Where a balloon decides instead, two things stand covered, as large as each other: the one below the balloon is a car and the
other one a boat. In the twin of a scene the balloon floats above the other one, and everything else is the same.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from attseg.data.classes import IGNORE
from attseg.data.sample import Array
from attseg.data.sets.scenes import backdrop, foreground, things
from attseg.data.sets.scenes.canvas import CONTEXT, SCALE, Canvas, Paint
from attseg.data.sets.scenes.table import BOAT, CAR, POLE, QUAY, ROAD, WATER, WIRE, Decider

Rng = np.random.Generator

BORDER = 3
"""Pixels on either side of a border between classes that belong to the boundary probe."""


class World(Enum):
    """The far side, drawn with equal probabilities."""

    TOWN = 0
    SEA = 1


class PaintedScene(NamedTuple):
    """A painted scene: image (H, W, 3), labels (H, W), and masks (H, W) by probe."""

    image: Array
    labels: Array
    probes: dict[str, npt.NDArray[np.bool_]]


def paint_scene(
    seed: int,
    key: tuple[int, ...],
    height: int,
    width: int,
    *,
    world: World | None = None,
    decides: Decider = "what",
    twin: bool = False,
) -> PaintedScene:
    """Paint the scene that ``seed`` and ``key`` decide.

    Args:
        seed: Of all scenes.
        key: Which of them.
        height: In pixels.
        width: In pixels.
        world: The far side, in place of the one that the lot decides; everything else stays as it is.
        decides: The probe is called ``context`` where the far side decides, and ``where`` where the balloon does.
        twin: Paint the twin, in which the balloon floats above the other covered thing; only with ``where``.
    """
    lot, near, far, sky = (
        np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*key, die))) for die in range(4)
    )
    if world is None:
        world = World(int(lot.integers(2)))
    canvas = Canvas(height, width)
    _compose(canvas, world, near, far, sky if decides == "where" else None, twin=twin)
    labels, probes = canvas.labels()
    name = "context" if decides == "what" else "where"
    masks = {name: probes == CONTEXT, "scale": probes == SCALE, "boundary": _boundary(labels)}
    return PaintedScene(photograph(canvas.image(), near), labels, masks)


def _compose(canvas: Canvas, world: World, near: Rng, far: Rng, sky: Rng | None, *, twin: bool) -> None:
    """Paint from far to near; what ``near`` throws must not depend on the world.

    With ``sky``, the scene is never a street, and a balloon floats above one of two covered things and decides what they are.
    """
    sea = world is World.SEA
    street = near.random() < 0.4 and sky is None
    stage = backdrop.plan(canvas, near.uniform(0.55, 0.74) if street else near.uniform(0.5, 0.58), near)
    theme = backdrop.THEMES[int(near.integers(len(backdrop.THEMES)))]
    backdrop.paint_sky(canvas, stage, theme, near)
    backdrop.paint_surface(canvas, stage, theme, WATER if sea else ROAD, near)
    window = (0, canvas.width) if street else backdrop.window(stage, near)
    if sea:
        backdrop.paint_sea(canvas, stage, window, far)
    else:
        backdrop.paint_town(canvas, stage, window, far)
    if street:
        foreground.paint_traffic(canvas, stage, things.boat if sea else things.car, far)
    else:
        backdrop.paint_park(canvas, stage, window, near)
    backdrop.paint_quay(canvas, stage, theme, near)
    if street and near.random() < 0.45:
        foreground.paint_near_house(canvas, stage, near)
    lamps = foreground.lamps(stage, near)
    if near.random() < 0.75:
        foreground.paint_wires(canvas, stage, lamps, near)
    foreground.paint_birds(canvas, stage, near)
    standing = lamps + foreground.buses(stage, 0.45 if street else 0.34, near) + foreground.people(stage, near)
    if sky is not None:
        covered, x = foreground.covered_pair(stage, sky, twin=twin)
        foreground.paint_balloon(canvas, stage, x, sky)
        standing += covered
    elif not street:
        standing += foreground.covered(stage, BOAT if sea else CAR, near)
    elif near.random() < 0.65:
        standing.append(foreground.near_bus(stage, near))
    foreground.paint_standing(canvas, standing, Paint(theme.quay[1], QUAY), near)


def _boundary(labels: Array) -> npt.NDArray[np.bool_]:
    """Labelled pixels at most ``BORDER`` steps from another label, and all of what is thin."""
    band = np.zeros(labels.shape, bool)
    for (ahead, behind), (here, there) in zip(_neighbours(band), _neighbours(labels), strict=True):
        border = here != there
        ahead |= border
        behind |= border
    for _ in range(BORDER - 1):
        grown = band.copy()
        for (ahead, behind), (here, there) in zip(_neighbours(grown), _neighbours(band), strict=True):
            ahead |= there
            behind |= here
        band = grown
    return (band | (labels == POLE) | (labels == WIRE)) & (labels != IGNORE)


def _neighbours(values: npt.NDArray[Any]) -> tuple[tuple[npt.NDArray[Any], npt.NDArray[Any]], ...]:
    """Views of all pairs of neighbours, one below the other and side by side."""
    return (values[1:], values[:-1]), (values[:, 1:], values[:, :-1])


def photograph(picture: Image.Image, rng: np.random.Generator) -> Array:
    """The picture (H, W, 3) under light that falls off to one side, tinted, sometimes out of focus, with grain.

    A pixel becomes what its place and its direct neighbours make of it; the rest of the picture does not matter.
    """
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.BoxBlur(rng.uniform(0.3, 0.9)))
    exposure, fall, grain = rng.uniform(0.78, 1.16), rng.uniform(-0.14, 0.14), rng.uniform(1, 6)
    tint = rng.uniform(0.95, 1.05, 3)
    image = np.asarray(picture, np.float32)
    height, width, _ = image.shape
    light = exposure * (1 + fall * np.linspace(-1, 1, width))
    image = image * (light[:, None] * tint).astype(np.float32)
    noise = rng.random((2, height, width, 1), np.float32).sum(axis=0) - 1
    image += np.float32(2 * grain) * noise
    return np.clip(image, 0, 255, out=image).astype(np.uint8)
