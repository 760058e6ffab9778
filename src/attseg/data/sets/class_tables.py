"""Tables of classes that labelling tools write, read where there is no ``classes.csv``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from attseg.data.classes import ClassTable, Color
from attseg.data.reading.color_labels import ColorValues
from attseg.data.reading.content import read_content
from attseg.data.reading.walk import walk
from attseg.data.sample import DataError
from attseg.data.sets.class_file import (
    CLASS_FILE,
    MOST_BYTES,
    ClassRow,
    check_rows,
    read_rows,
    to_colors,
    to_table,
)
from attseg.data.sets.tool_tables import NAME_LISTS, TABLES
from attseg.data.wording import few


class ClassSource(NamedTuple):
    """Where the classes stand.

    Args:
        path: The file.
        tool: Who writes such files; empty for ``classes.csv``.
        rows: What it says.
    """

    path: Path
    tool: str
    rows: list[ClassRow]

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

    def color_values(self, others: int | None = None) -> ColorValues:
        """The classes of colours in label files.

        Args:
            others: The value of colours that no row has; None refuses them.

        Raises:
            DataError: Two rows have the same colour.
        """
        values: dict[Color, int] = {}
        names = {row.number: row.name or "ignored" for row in self.rows}
        for value, color in self.colors.items():
            if color in values:
                raise DataError(
                    f"{self.path} gives the colour {color} to {names[values[color]]} ({values[color]}) and to {names[value]} "
                    f"({value}), and label files are read by colour: leave the cells r, g, b of one empty if it does not occur, "
                    "or give it its own colour"
                )
            values[color] = value
        return ColorValues(tuple(values.items()), tuple(names.items()), others)

    @property
    def remark(self) -> str:
        """A sentence about what was taken; empty for ``classes.csv``."""
        return f"the classes are those of {self.path} ({self.tool}), for there is no {CLASS_FILE}" if self.tool else ""


def find_classes(folders: Iterable[Path], alike: Iterable[Path] = (), *, by_color: bool = False) -> ClassSource:
    """The table of classes in the first of some folders that has one; ``classes.csv`` before those of tools.

    Args:
        folders: Where to look.
        alike: Folders whose tables have to say the same, where the first of them is taken.
        by_color: Whether label files are read by colour, so that tables with other colours differ too.

    Raises:
        DataError: There is none, it cannot be read, or two differ.
    """
    folders, alike = list(dict.fromkeys(folders)), list(alike)
    found = [(folder, sources) for folder in folders if (sources := _in_folder(folder, _table_names(folder)))]
    if not found:
        strange = explain_strange(folder / name for folder in folders for name in _table_names(folder))
        try:
            read_rows(folders[0] / CLASS_FILE)  # says what it would be
        except DataError as error:
            raise DataError(f"{error}{strange}") from None
    folder, sources = found[0]
    source = _only(
        sources, f"say which holds the classes, with --data.options.classes NAME, or write {CLASS_FILE}", by_color
    )
    if folder in alike:
        roots = [one for other, more in found if other in alike for one in more]
        _only(roots, f"write one {CLASS_FILE} for all roots, in {folders[0]}", by_color)
    return source


def find_classes_below(root: Path) -> ClassSource | None:
    """The table of classes in a folder or the folders below it, as exports have it, some of them one for each split.

    Names of tables count in capital letters too. A list of names alone counts where nothing else is there, since labelling tools
    write such lists beside their tables.

    Raises:
        DataError: A table cannot be read, or two differ.
    """
    paths = tables_below(root)
    for names_alone in (False, True):
        by_folder: dict[Path, list[str]] = {}
        for path in paths:
            if (path.name.lower() in NAME_LISTS) is names_alone:
                by_folder.setdefault(path.parent, []).append(path.name)
        if found := [source for folder, names in by_folder.items() for source in _in_folder(folder, names)]:
            return _only(found, "keep one of them", True)
    return None


def tables_below(root: Path) -> list[Path]:
    """Files below a folder that have the name of a table of classes."""
    return [folder / name for folder, names in walk(root) for name in names if name.lower() in (CLASS_FILE, *TABLES)]


def explain_strange(paths: Iterable[Path]) -> str:
    """A line about files that have the name of a tool's table and hold something else; empty where there are none."""
    told = [f"{path} (not {TABLES[path.name.lower()][0]})" for path in paths]
    return f"\nno table of classes, for all its name: {few(told)}" if told else ""


def _table_names(folder: Path) -> list[str]:
    return [CLASS_FILE] * (folder / CLASS_FILE).exists() + [name for name in TABLES if (folder / name).is_file()]


def _in_folder(folder: Path, names: Iterable[str]) -> list[ClassSource]:
    """The tables of classes among files of a folder; ``classes.csv`` alone where it is there."""
    known = {name.lower(): folder / name for name in names}
    if CLASS_FILE in known:
        return [ClassSource(known[CLASS_FILE], "", read_rows(known[CLASS_FILE]))]
    return [source for name in TABLES if name in known and (source := read_tool_table(known[name]))]


def _only(sources: Sequence[ClassSource], advice: str, by_color: bool) -> ClassSource:
    """The first of some tables, of which all have to say the same, and where colours count, give no other ones.

    Raises:
        DataError: Two differ.
    """
    for other in sources[1:]:
        if _differ(sources[0], other, by_color):
            raise DataError(f"{sources[0].path} and {other.path} differ; {advice.replace('NAME', other.path.name)}")
    return sources[0]


def _differ(one: ClassSource, other: ClassSource, by_color: bool) -> bool:
    meanings = [[(row.number, row.name, row.ignored) for row in source.rows] for source in (one, other)]
    colors = other.colors if by_color else {}
    return meanings[0] != meanings[1] or any(colors.get(value, color) != color for value, color in one.colors.items())


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
    tool, read = TABLES[path.name.lower()]
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
