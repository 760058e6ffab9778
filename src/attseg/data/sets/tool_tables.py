"""Readers of the tables of classes that labelling tools write, from the lines of a file to rows."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from unicodedata import normalize

from attseg.data.classes import IGNORE, Color
from attseg.data.reading.inputs import SUFFIXES
from attseg.data.sets.class_file import IGNORED_NAMES, ClassRow

Lines = Sequence[tuple[int, str]]
"""Number and text of each line that is not empty."""


def _labelmap(lines: Lines) -> list[ClassRow]:
    """``name:r,g,b:parts:actions``, numbered from 0."""
    rows = []
    for place, (line, text) in enumerate(lines):
        name, color, *_ = text.split(":")
        rows.append(_row(line, place, name, _color(color.split(",")) if color.strip() else None))
    return rows


def _label_colors(lines: Lines) -> list[ClassRow]:
    """``r g b name``, numbered from 0."""
    rows = []
    for place, (line, text) in enumerate(lines):
        red, green, blue, name = re.split(r"[\s,]+", text, maxsplit=3)
        rows.append(_row(line, place, name, _color((red, green, blue))))
    return rows


def _class_dict(lines: Lines) -> list[ClassRow]:
    """A header with name, r, g, b, then a class a row, numbered from 0."""
    (_, header), *rest = lines
    columns = [cell.strip().lower() for cell in header.split(",")]
    places = [columns.index(name) for name in ("name", "r", "g", "b")]
    rows = []
    for place, (line, text) in enumerate(rest):
        name, *color = ([cell.strip() for cell in next(csv.reader([text]))][at] for at in places)
        rows.append(_row(line, place, name, _color(color)))
    return rows


def _pixel_values(lines: Lines) -> list[ClassRow]:
    """A header with Pixel Value and Class, then a class a row."""
    (_, header), *rest = lines
    columns = [cell.strip().lower() for cell in header.split(",")]
    if columns[:2] != ["pixel value", "class"]:
        raise ValueError(header)
    rows = []
    for line, text in rest:
        number, *cells = next(csv.reader([text], skipinitialspace=True))
        rows.append(_row(line, int(number), ",".join(cells) if len(columns) == 2 else cells[0], None))
    return rows


def _meta(lines: Lines) -> list[ClassRow]:
    """JSON with the names of numbers (``label_map``), and colours in the order of these (``segmentation_colors``)."""
    try:
        content = json.loads("\n".join(text for _, text in lines))
        names = {int(key): str(name) for key, name in content["label_map"].items()}
        colors = content.get("segmentation_colors") or []
        return [
            _row(place, number, names[number], _color(colors[place]) if place < len(colors) else None)
            for place, number in enumerate(sorted(names))
        ]
    except (AttributeError, LookupError, TypeError, RecursionError) as error:
        raise ValueError(error) from None


def _names(lines: Lines) -> list[ClassRow]:
    """A name a line, numbered from 0; ``__ignore__`` in the first line has -1, which is 255 in a file of bytes."""
    if any(Path(text.split()[0]).suffix.lower() in SUFFIXES for _, text in lines):
        raise ValueError("a list of files")
    ignored = [_row(lines[0][0], IGNORE, "ignore", None)] if lines and lines[0][1] == "__ignore__" else []
    return ignored + [_row(line, place, text, None) for place, (line, text) in enumerate(lines[len(ignored) :])]


def _row(line: int, number: int, name: str, color: Color | None) -> ClassRow:
    name = normalize("NFC", name.strip())
    return ClassRow(line, number, name, color, name.lower() in IGNORED_NAMES)


def _color(cells: Sequence[str]) -> Color:
    red, green, blue = (int(cell) for cell in cells)
    if not all(0 <= value <= 255 for value in (red, green, blue)):
        raise ValueError(cells)
    return red, green, blue


TABLES: dict[str, tuple[str, Callable[[Lines], list[ClassRow]]]] = {
    "labelmap.txt": ("as CVAT and Datumaro write it", _labelmap),
    "label_colors.txt": ("as CamVid and CVAT write it", _label_colors),
    "class_dict.csv": ("names and colours", _class_dict),
    "_classes.csv": ("as Roboflow writes it", _pixel_values),
    "dataset_meta.json": ("as Datumaro writes it", _meta),
    "class_names.txt": ("as labelme writes it, a name a line", _names),
    "labels.txt": ("as labelme and PaddleSeg have it, a name a line", _names),
    "classes.txt": ("as Label Studio and labelImg write it, a name a line", _names),
    "obj.names": ("as Darknet has it, a name a line", _names),
}
"""By the name of the file, in small letters: who writes it, and the reader of its lines, which raises ValueError where it is
something else."""

NAME_LISTS = frozenset(name for name, (_, read) in TABLES.items() if read is _names)
"""Those that hold names alone."""
