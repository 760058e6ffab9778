"""A contact sheet: pictures of a data set beside their labels, to see at a glance whether they belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageDraw

from attseg.data.catalog import open_data, open_files
from attseg.data.fonts import draw_text, shorten
from attseg.data.paint import colorize, legend, overlay
from attseg.data.reading.bands import visible
from attseg.data.reading.inputs import PictureFile
from attseg.data.sample import Array, SegmentationData
from attseg.data.sets.file_set import FileSet
from attseg.errors import UsageError
from attseg.files import replacing
from attseg.written import outputs

PANEL = 320
"""Width of one picture on the sheet, in pixels."""

GAP = 8
LINE = 20
FONT_SIZE = 14

Item = TypeVar("Item")


def samples_picture(
    name: str,
    root: str | Path | None = None,
    split: str | None = None,
    count: int = 4,
    *,
    options: Mapping[str, Any] | None = None,
) -> Image.Image:
    """Draw samples spread evenly over a split: a row each of picture, labels, and labels over the picture.

    Args:
        name: The data set, as in ``open_data``.
        root: Its folder, if it has one.
        split: Which split; ``train`` where none is given, or the first that is there. One without labels shows its pictures.
        count: Rows; fewer where the split is smaller.
        options: Options of the data set, as in ``open_data``.

    Returns:
        The sheet, with a legend of the classes that are on it.

    Raises:
        UsageError: There is no such data set or option, or ``count`` is less than 1.
        DataError: The data set, or one of the samples, cannot be read.
    """
    if count < 1:
        raise UsageError(f"a picture of {count} samples was asked for; at least 1 was expected")
    options = options or {}
    if name != "scenes":
        files = open_files(name, root, **options)
        split = split or next(iter(files.splits()), "train")
        if files.survey(split).no_labels:
            return _stack([_draw_picture(files, file) for file in _spread(files.pictures(split), count)])
    data = open_data(name, split or "train", root=root, **options)
    present: set[int] = set()
    rows: list[Image.Image] = []
    for index in _spread(range(len(data)), count):
        row, found = _draw_row(data, index)
        rows.append(row)
        present |= found
    rows.append(legend(data.classes, sorted(present), rows[0].width))
    return _stack(rows)


def write_samples(
    out: Path,
    name: str,
    root: str | Path | None = None,
    split: str | None = None,
    count: int = 4,
    *,
    options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the sheet of ``samples_picture`` as a PNG, and return its absolute path.

    Raises:
        UsageError: There is another's file; or as ``samples_picture``.
    """
    picture = samples_picture(name, root, split, count, options=options)
    with outputs(out, overwrite=overwrite), replacing(out) as file:
        picture.save(file, "PNG")
    return out.absolute()


def _spread(items: Sequence[Item], count: int) -> list[Item]:
    """``count`` of some items, from the first to the last."""
    chosen = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int).tolist()
    return [items[index] for index in chosen]


def _draw_row(data: SegmentationData, index: int) -> tuple[Image.Image, set[int]]:
    """A title above three panels, and which labels are on them."""
    sample = data[index]
    image = _shrunk(visible(sample.image), Image.Resampling.BILINEAR)
    labels = _shrunk(sample.labels, Image.Resampling.NEAREST)
    panels = image, colorize(labels, data.classes), overlay(image, labels, data.classes)
    return _row(sample.name, sample.labels.shape, panels), set(np.unique(labels).tolist())


def _draw_picture(files: FileSet, file: PictureFile) -> Image.Image:
    """A title above a picture without labels."""
    image = visible(files.read_image(file.path)[0])
    return _row(f"{file.name}, without labels", image.shape[:2], [_shrunk(image, Image.Resampling.BILINEAR)])


def _shrunk(values: Array, how: Image.Resampling) -> Array:
    """A picture or labels as wide as a panel."""
    height, width = values.shape[:2]
    return np.asarray(Image.fromarray(values).resize((PANEL, max(1, round(height * PANEL / width))), how))


def _row(title: str, shape: Sequence[int], panels: Sequence[Array]) -> Image.Image:
    row = Image.new("RGB", (3 * PANEL + 4 * GAP, LINE + panels[0].shape[0] + GAP), "white")
    text = f"{title} ({shape[0]} x {shape[1]}, height x width)"
    draw_text(ImageDraw.Draw(row), GAP, LINE // 2, shorten(text, FONT_SIZE, row.width - 2 * GAP), FONT_SIZE)
    for place, panel in enumerate(panels):
        row.paste(Image.fromarray(panel), (GAP + place * (PANEL + GAP), LINE))
    return row


def _stack(rows: list[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet
