"""Tables of classes that labelling tools write, read where there is no ``classes.csv``."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from attseg.data.classes import IGNORE, ClassTable, Color
from attseg.data.reading.content import read_content
from attseg.data.reading.inputs import SUFFIXES
from attseg.data.sample import DataError
from attseg.data.sets.class_file import (
    CLASS_FILE,
    IGNORED_NAMES,
    MOST_BYTES,
    Row,
    check_rows,
    read_rows,
    to_colors,
    to_table,
)

Lines = Sequence[tuple[int, str]]
"""Number and text of each line that is not empty."""


class ClassSource(NamedTuple):
    """Where the classes stand.

    Args:
        path: The file.
        tool: Who writes such files; empty for ``classes.csv``.
        rows: What it says.
    """

    path: Path
    tool: str
    rows: list[Row]

    @property
    def table(self) -> ClassTable:
        """The class table.

        Raises:
            DataError: It has no classes, or too many.
        """
        return to_table(self.path, self.rows)

    @property
    def colors(self) -> dict[int, Color]:
        """The colour of each value that has one."""
        return to_colors(self.rows)

    @property
    def remark(self) -> str:
        """A sentence about what was taken; empty for ``classes.csv``."""
        return f"the classes are those of {self.path} ({self.tool}), for there is no {CLASS_FILE}" if self.tool else ""


def find_classes(folders: Iterable[Path], alike: Iterable[Path] = ()) -> ClassSource:
    """The table of classes in the first of some folders that has one; ``classes.csv`` before those of tools.

    Args:
        folders: Where to look.
        alike: Folders whose tables have to say the same, where the first of them is taken.

    Raises:
        DataError: There is none, it cannot be read, or two differ.
    """
    folders, alike = list(dict.fromkeys(folders)), list(alike)
    found = [(folder, source) for folder in folders if (source := _in_folder(folder))]
    if not found:
        read_rows(folders[0] / CLASS_FILE)  # says what it would be
    folder, source = found[0]
    if folder in alike:
        for other, more in found[1:]:
            if other in alike and _meaning(more) != _meaning(source):
                raise DataError(
                    f"{source.path} and {more.path} differ; write one {CLASS_FILE} for all roots, in {folders[0]}"
                )
    return source


def _meaning(source: ClassSource) -> list[tuple[int, str, bool]]:
    return [(row.number, row.name, row.ignored) for row in source.rows]


def _in_folder(folder: Path) -> ClassSource | None:
    """The table of classes in a folder."""
    if (folder / CLASS_FILE).exists():
        return ClassSource(folder / CLASS_FILE, "", read_rows(folder / CLASS_FILE))
    sources = [source for name in TABLES if (folder / name).is_file() and (source := read_tool_table(folder / name))]
    for other in sources[1:]:
        if _meaning(other) != _meaning(sources[0]):
            raise DataError(
                f"{sources[0].path} and {other.path} differ; say which holds the classes, with --data.options.classes "
                f"{other.path.name}, or write {CLASS_FILE}"
            )
    return sources[0] if sources else None


def read_classes_from(path: Path) -> ClassSource:
    """The table of classes in a file that an option names.

    Raises:
        DataError: It is no table of classes.
    """
    if path.name in TABLES and path.is_file():
        if source := read_tool_table(path):
            return source
        raise DataError(
            f"{path} does not look like a table of classes; {CLASS_FILE} or one of {', '.join(TABLES)} was expected"
        )
    return ClassSource(path, "", read_rows(path))


def read_tool_table(path: Path) -> ClassSource | None:
    """The table in a file of a tool; None where the file holds something else.

    Raises:
        DataError: It is such a table, and not as it must be.
    """
    tool, read = TABLES[path.name]
    try:
        text = read_content(path, most=MOST_BYTES, what="a table of classes").decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    try:
        rows = read([(number, line) for number, line in lines if line and not line.startswith("#")])
    except ValueError:
        return None
    if not rows:
        return None
    check_rows(path, rows)
    return ClassSource(path, tool, rows)


def _labelmap(lines: Lines) -> list[Row]:
    """``name:r,g,b:parts:actions``, numbered from 0."""
    rows = []
    for place, (line, text) in enumerate(lines):
        name, color, *_ = text.split(":")
        rows.append(_row(line, place, name, _color(color.split(",")) if color.strip() else None))
    return rows


def _label_colors(lines: Lines) -> list[Row]:
    """``r g b name``, numbered from 0."""
    rows = []
    for place, (line, text) in enumerate(lines):
        red, green, blue, name = re.split(r"[\s,]+", text, maxsplit=3)
        rows.append(_row(line, place, name, _color((red, green, blue))))
    return rows


def _class_dict(lines: Lines) -> list[Row]:
    """A header with name, r, g, b, then a class a row, numbered from 0."""
    (_, header), *rest = lines
    columns = [cell.strip().lower() for cell in header.split(",")]
    places = [columns.index(name) for name in ("name", "r", "g", "b")]
    rows = []
    for place, (line, text) in enumerate(rest):
        name, *color = ([cell.strip() for cell in next(csv.reader([text]))][at] for at in places)
        rows.append(_row(line, place, name, _color(color)))
    return rows


def _pixel_values(lines: Lines) -> list[Row]:
    """A header with Pixel Value and Class, then a class a row."""
    (_, header), *rest = lines
    if [cell.strip().lower() for cell in header.split(",")] != ["pixel value", "class"]:
        raise ValueError(header)
    return [_row(line, int(text.partition(",")[0]), text.partition(",")[2], None) for line, text in rest]


def _names(lines: Lines) -> list[Row]:
    """A name a line, numbered from 0; ``__ignore__`` in the first line has -1, which is 255 in a file of bytes."""
    if any(Path(text.split()[0]).suffix.lower() in SUFFIXES for _, text in lines):
        raise ValueError("a list of files")
    ignored = [_row(lines[0][0], IGNORE, "ignore", None)] if lines and lines[0][1] == "__ignore__" else []
    return ignored + [_row(line, place, text, None) for place, (line, text) in enumerate(lines[len(ignored) :])]


def _row(line: int, number: int, name: str, color: Color | None) -> Row:
    name = normalize("NFC", name.strip())
    return Row(line, number, name, color, name.lower() in IGNORED_NAMES)


def _color(cells: Sequence[str]) -> Color:
    red, green, blue = (int(cell) for cell in cells)
    if not all(0 <= value <= 255 for value in (red, green, blue)):
        raise ValueError(cells)
    return red, green, blue


TABLES: dict[str, tuple[str, Callable[[Lines], list[Row]]]] = {
    "labelmap.txt": ("as CVAT and Datumaro write it", _labelmap),
    "label_colors.txt": ("as CamVid and CVAT write it", _label_colors),
    "class_dict.csv": ("names and colours", _class_dict),
    "_classes.csv": ("as Roboflow writes it", _pixel_values),
    "class_names.txt": ("as labelme writes it, a name a line", _names),
    "labels.txt": ("as labelme and PaddleSeg have it, a name a line", _names),
    "classes.txt": ("as Label Studio and labelImg write it, a name a line", _names),
    "obj.names": ("as Darknet has it, a name a line", _names),
}
"""By the name of the file: who writes it, and what reads its lines (raising ValueError where it is something else)."""
