"""Labels as colours: on their own, over their picture, and with a legend that says which colour is what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.fonts import class_label, draw_text, shorten, text_width
from attseg.data.sample import Array
from attseg.errors import UsageError

FONT_SIZE = 14
SWATCH = 16
GAP = 8


def colorize(labels: Array, classes: ClassTable) -> Array:
    """The labels in the colours of their classes.

    Bytes that stand for no class, ``IGNORE`` above all, are hatched in two greys, which no class can be mistaken for.

    Args:
        labels: (H, W) classes 0..K-1, and 255 where ignored.
        classes: Whose colours.

    Returns:
        (H, W, 3) red, green, blue.
    """
    colors = classes.palette[labels]
    colors[labels >= len(classes)] = _hatch(*labels.shape)[labels >= len(classes)]
    return colors


def overlay(image: Array, labels: Array, classes: ClassTable, opacity: float = 0.5) -> Array:
    """The picture with its labels laid over it.

    Args:
        image: (H, W, 3) red, green, blue.
        labels: (H, W) classes 0..K-1, and 255 where ignored.
        classes: Whose colours.
        opacity: Share of the colour of the class; 0 leaves the picture, 1 leaves the labels.

    Returns:
        (H, W, 3) red, green, blue.

    Raises:
        UsageError: The picture and its labels differ in size, or the opacity is not a share.
    """
    if image.shape != (*labels.shape, 3):
        raise UsageError(
            f"a picture of shape {image.shape} was given with labels of shape {labels.shape}; "
            "(H, W, 3) and (H, W) were expected, with the same height and width"
        )
    if not 0 <= opacity <= 1:
        raise UsageError(f"the opacity is {opacity}; a share between 0 and 1 was expected")
    mixed = image * np.float32(1 - opacity) + colorize(labels, classes) * np.float32(opacity)
    return np.rint(mixed).astype(np.uint8)


def legend(classes: ClassTable, present: Sequence[int], width: int, *, scale: int = 1) -> Image.Image:
    """Swatches with names, in as many columns as fit.

    Args:
        classes: Whose names and colours.
        present: The classes to list, in this order; ``IGNORE`` is listed as "ignored".
        width: Width of the legend in pixels; names that are longer are cut. A name with characters that no font can draw stands
            behind the number of its class.
        scale: How many times as large text and swatches are, for pictures that are looked at from afar.

    Returns:
        A legend ``width`` wide on white, as high as it needs to be.
    """
    side, gap, size = SWATCH * scale, GAP * scale, FONT_SIZE * scale
    room = width - 3 * gap - side
    labels = ("ignored" if index == IGNORE else class_label(classes.names[index], index) for index in present)
    names = [shorten(label, size, room) for label in labels]
    cell = max((round(text_width(name, size)) for name in names), default=0) + side + 2 * gap
    columns = max(1, (width - gap) // cell)
    rows = -(-len(names) // columns)
    page = Image.new("RGB", (width, rows * (side + gap) + gap), "white")
    draw = ImageDraw.Draw(page)
    for place, (index, name) in enumerate(zip(present, names, strict=True)):
        row, column = divmod(place, columns)
        left, top = gap + column * cell, gap + row * (side + gap)
        swatch = colorize(np.full((side, side), index, np.uint8), classes)
        page.paste(Image.fromarray(swatch), (left, top))
        draw.rectangle((left, top, left + side - 1, top + side - 1), outline="grey")
        draw_text(draw, left + side + gap, top + side // 2, name, size)
    return page


def _hatch(height: int, width: int) -> Array:
    """(H, W, 3) Diagonal stripes, four pixels wide, in two dark greys."""
    stripe = np.add.outer(np.arange(height), np.arange(width)) // 4 % 2
    return np.repeat(np.array((64, 96), np.uint8)[stripe][..., None], 3, axis=2)
