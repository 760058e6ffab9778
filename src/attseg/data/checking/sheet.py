"""A contact sheet: pictures of a data set beside their labels, to see at a glance whether they belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from attseg.data.catalog import open_data
from attseg.data.paint import colorize, legend, overlay
from attseg.data.sample import SegmentationData
from attseg.errors import UsageError

PANEL = 320
"""Width of one picture on the sheet, in pixels."""

GAP = 8
LINE = 20


def samples_picture(name: str, root: str | Path | None = None, split: str = "train", count: int = 4) -> Image.Image:
    """Draw samples spread evenly over a split: a row each of picture, labels, and labels over the picture.

    Args:
        name: The data set, as in ``open_data``.
        root: Its folder, if it has one.
        split: Which split.
        count: Rows; fewer where the split is smaller.

    Returns:
        The sheet, with a legend of the classes that are on it.

    Raises:
        UsageError: There is no such data set, or ``count`` is less than 1.
        DataError: The data set, or one of the samples, cannot be read.
    """
    if count < 1:
        raise UsageError(f"a picture of {count} samples was asked for; at least 1 was expected")
    data = open_data(name, split, root=root)
    chosen = np.linspace(0, len(data) - 1, min(count, len(data))).round().astype(int).tolist()
    present: set[int] = set()
    rows: list[Image.Image] = []
    for index in chosen:
        row, found = _draw_row(data, index)
        rows.append(row)
        present |= found
    rows.append(legend(data.classes, sorted(present), rows[0].width))
    return _stack(rows)


def _draw_row(data: SegmentationData, index: int) -> tuple[Image.Image, set[int]]:
    """A title above three panels, and which labels are on them."""
    sample = data[index]
    height, width = sample.labels.shape
    size = PANEL, max(1, round(height * PANEL / width))
    image = np.asarray(Image.fromarray(sample.image).resize(size, Image.Resampling.BILINEAR))
    labels = np.asarray(Image.fromarray(sample.labels).resize(size, Image.Resampling.NEAREST))
    row = Image.new("RGB", (3 * PANEL + 4 * GAP, LINE + size[1] + GAP), "white")
    title = f"{sample.name} ({width} x {height})"
    ImageDraw.Draw(row).text((GAP, LINE // 2), title, "black", ImageFont.load_default(14), anchor="lm")
    panels = image, colorize(labels, data.classes), overlay(image, labels, data.classes)
    for place, panel in enumerate(panels):
        row.paste(Image.fromarray(panel), (GAP + place * (PANEL + GAP), LINE))
    return row, set(np.unique(labels).tolist())


def _stack(rows: list[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet
