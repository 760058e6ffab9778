"""Tables of classes that lie beside label images: of ours, of CVAT, of Datumaro, of Roboflow, and plain lists of colours."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from attseg.data.classes import IGNORE, Color
from attseg.data.importing.colors import MaskTable
from attseg.data.importing.export import NamedClass
from attseg.data.importing.json_text import read_json
from attseg.data.reading.content import read_content
from attseg.data.reading.walk import walk
from attseg.data.sample import DataError
from attseg.data.sets.class_file import read_class_file, read_label_colors

MOST_BYTES = 2**20


def find_table(source: Path) -> tuple[Path, MaskTable] | None:
    """The table of classes in a folder or in the folders of its splits; None where there is none.

    Raises:
        DataError: It cannot be read, or several say different things.
    """
    found = [
        (folder / name, READERS[name.lower()](folder / name))
        for folder, names in walk(source)
        for name in names
        if name.lower() in READERS
    ]
    for path, table in found[1:]:
        if table != found[0][1]:
            raise DataError(f"{found[0][0]} and {path} are different tables of classes; keep one of them")
    return found[0] if found else None


def read_label_map(path: Path) -> MaskTable:
    """CVAT's and Datumaro's ``labelmap.txt``: ``name:r,g,b:parts:actions`` a line."""
    classes = []
    for line, text in enumerate(_text(path).splitlines(), 1):
        if text.strip() and not text.startswith("#"):
            name, _, rest = text.partition(":")
            classes.append(NamedClass(name.strip(), _color(rest.partition(":")[0].split(","), f"{path}, line {line}")))
    return MaskTable(tuple(classes))


def _our_table(path: Path) -> MaskTable:
    table, colors = read_class_file(path), read_label_colors(path)
    values = {int(raw): index for raw, index in table.raw_to_train.items() if index != IGNORE}
    names = [NamedClass(name, colors.get(int(value))) for name, value in zip(table.names, table.values, strict=True)]
    ignored = sorted(raw for raw, index in table.raw_to_train.items() if index == IGNORE)
    for raw in ignored:
        values[raw] = len(names)
        names.append(NamedClass(f"ignored {raw}", colors.get(raw), ignored=True))
    return MaskTable(tuple(names), values)


def _color_list(path: Path) -> MaskTable:
    """``class_dict.csv``: ``name,r,g,b`` a line."""
    header, *rows = _rows(path)
    columns = [cell.lower() for cell in header]
    if columns[:4] != ["name", "r", "g", "b"]:
        raise DataError(f"{path} does not begin with name,r,g,b")
    return MaskTable(
        tuple(NamedClass(row[0], _color(row[1:4], f"{path}, line {line}")) for line, row in enumerate(rows, 2))
    )


def _roboflow_list(path: Path) -> MaskTable:
    """``_classes.csv``: ``Pixel Value, Class`` a line."""
    header, *rows = _rows(path)
    if [cell.lower() for cell in header[:2]] != ["pixel value", "class"]:
        raise DataError(f"{path} does not begin with 'Pixel Value, Class'")
    if not all(len(row) >= 2 and row[0].isdecimal() for row in rows):
        raise DataError(f"{path} has a line without a number and a class")
    values = {int(row[0]): index for index, row in enumerate(rows)}
    return MaskTable(tuple(NamedClass(row[1]) for row in rows), values)


def _meta(path: Path) -> MaskTable:
    """Datumaro's ``dataset_meta.json``."""
    content = read_json(path)
    names = content.get("label_map") if isinstance(content, dict) else None
    if not isinstance(names, dict) or not all(str(key).isdecimal() for key in names):
        raise DataError(f"{path} has no 'label_map' of numbers and names")
    colors: Any = content.get("segmentation_colors") or []
    order = sorted(names, key=int)
    classes = [
        NamedClass(str(names[key]), _color(colors[place], str(path)) if place < len(colors) else None)
        for place, key in enumerate(order)
    ]
    return MaskTable(tuple(classes), {int(key): place for place, key in enumerate(order)})


READERS: Mapping[str, Callable[[Path], MaskTable]] = {
    "classes.csv": _our_table,
    "labelmap.txt": read_label_map,
    "class_dict.csv": _color_list,
    "_classes.csv": _roboflow_list,
    "dataset_meta.json": _meta,
}
"""Readers by the names of files."""


def _text(path: Path) -> str:
    try:
        return read_content(path, most=MOST_BYTES, what="a table of classes").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path} is no UTF-8 text") from None


def _rows(path: Path) -> list[list[str]]:
    rows = [[cell.strip() for cell in row] for row in csv.reader(StringIO(_text(path), newline="")) if any(row)]
    if not rows:
        raise DataError(f"{path} is empty; a table of classes was expected")
    return rows


def _color(values: Any, where: str) -> Color:
    try:
        red, green, blue = (int(value) for value in values)
    except (ValueError, TypeError):
        raise DataError(f"{where} has no colour of three numbers") from None
    if not all(0 <= value <= 255 for value in (red, green, blue)):
        raise DataError(f"{where} has a colour beyond 0..255")
    return red, green, blue
