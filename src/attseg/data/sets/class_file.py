"""The file ``classes.csv``: what the numbers in label files mean.

One row a number from 0 to 65535, below a header. Colours may be left out, numbers may have gaps, and classes are counted from 0
in the order of their numbers, whatever the files hold::

    index,name,r,g,b,ignore
    0,water,0,0,255,
    7,boat,255,128,0,
    255,unlabelled,0,0,0,1

A row is ignored (neither trained nor counted) where its column ``ignore`` says 1, yes or true; where that column is empty or left
out, a row named ignore, void, unlabelled or unlabeled is ignored too. Names are kept in the composed form of Unicode (NFC).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import normalize

from attseg.data.classes import IGNORE, MAX_CLASSES, MAX_VALUE, ClassTable, Color, distinct_colors, explain_name
from attseg.data.reading.content import read_content
from attseg.data.sample import DataError
from attseg.text import csv_text

CLASS_FILE = "classes.csv"

MOST_BYTES = 2**20
"""Bytes of a class table; 256 rows take some ten thousand."""

COLUMNS = ("index", "name", "r", "g", "b", "ignore")

IGNORED_NAMES = ("ignore", "void", "unlabelled", "unlabeled")

_EXAMPLE = (
    "a header, then a row a class, such as\n  index,name,r,g,b,ignore\n  0,water,0,0,255,\n  255,unlabelled,0,0,0,1"
)

_YES_NO = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False, "": None}


class ClassRow(NamedTuple):
    """A row: what a value in label files means, and in which line it says so."""

    line: int
    number: int
    name: str
    color: Color | None
    ignored: bool


def read_class_file(path: Path) -> ClassTable:
    """Read a class table.

    Classes without a colour get one that no other class has.

    Raises:
        DataError: There is no such file, or it is not as described above; the message has a sentence for every wrong line.
    """
    return to_table(path, read_rows(path))


def to_table(path: Path, rows: Sequence[ClassRow]) -> ClassTable:
    """The class table of some rows; ``path`` is for messages, and errors are those of ``read_class_file``."""
    classes = sorted((row for row in rows if not row.ignored), key=lambda row: row.number)
    if not classes:
        raise DataError(f"{path} has no classes: expected are {_EXAMPLE}")
    if len(classes) > MAX_CLASSES:
        raise DataError(
            f"{path} has {len(classes)} classes; at most {MAX_CLASSES} fit (labels are bytes, and 255 is ignored)"
        )
    return ClassTable(
        names=tuple(row.name for row in classes),
        colors=_colors([row.color for row in classes]),
        raw_to_train={row.number: place for place, row in enumerate(classes)}
        | {row.number: IGNORE for row in rows if row.ignored},
    )


def to_colors(rows: Sequence[ClassRow]) -> dict[int, Color]:
    """The colour of each value that has one."""
    return {row.number: row.color for row in rows if row.color is not None}


def _colors(given: Sequence[Color | None]) -> tuple[Color, ...]:
    """The given colours; where there is none, the usual one of the place, or another one if that is taken."""
    taken = set(given)
    usual = distinct_colors(len(given))
    colors = [
        usual[place] if color is None and usual[place] not in taken else color for place, color in enumerate(given)
    ]
    taken.update(colors)
    spare = (color for color in distinct_colors(2 * MAX_CLASSES) if color not in taken)
    return tuple(next(spare) if color is None else color for color in colors)


def read_rows(path: Path) -> list[ClassRow]:
    """The rows of a class table; errors as of ``read_class_file``."""
    header, *lines = _read_lines(path) or [(0, [])]
    columns = _read_header(path, header[1])
    rows: list[ClassRow] = []
    problems: list[str] = []
    for line, cells in lines:
        try:
            rows.append(_read_row(line, cells, columns))
        except ValueError as error:
            problems.append(f"line {line}: {error}")
    check_rows(path, rows, problems)
    return rows


def check_rows(path: Path, rows: Sequence[ClassRow], problems: Sequence[str] = ()) -> None:
    """Refuse rows that repeat an index or a name, and what was found before.

    Raises:
        DataError: The message has a sentence for each of them.
    """
    if problems := [*problems, *_clashes(rows)]:
        raise DataError("\n  ".join([f"{path} cannot be used as a class table:", *problems]))


def _read_lines(path: Path) -> list[tuple[int, list[str]]]:
    """Line number and stripped cells of every line that is not blank."""
    if not path.exists():
        raise DataError(f"there is no {path}; it says what the numbers in label files mean: {_EXAMPLE}")
    try:
        text = read_content(path, most=MOST_BYTES, what="a table of at most 256 rows").decode("utf-8-sig")
        reader = csv.reader(StringIO(text, newline=""))
        return [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except UnicodeDecodeError:
        raise DataError(f"{path} is no UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as CSV ({error}); expected are {_EXAMPLE}") from None


def _read_header(path: Path, cells: list[str]) -> list[str]:
    columns = [cell.lower() for cell in _without_empty_end(cells, 0)]
    if "index" in columns and "name" in columns and set(columns) <= set(COLUMNS) and len(columns) == len(set(columns)):
        if 0 < len({"r", "g", "b"} & set(columns)) < 3:
            raise DataError(f"{path} has only some of the columns r, g, b; give all three or none")
        return columns
    if len(cells) == 1 and (";" in cells[0] or "\t" in cells[0]):
        raise DataError(f"{path} is separated by {'semicolons' if ';' in cells[0] else 'tabs'}; separate it by commas")
    strange = [cell for cell in cells if cell.lower() not in COLUMNS]
    given = (
        f"unknown columns ({', '.join(strange)})" if strange and "index" in columns else "no header with index and name"
    )
    if len(columns) != len(set(columns)):
        given = "a column twice"
    raise DataError(f"{path} has {given} in its first line; expected are {_EXAMPLE}")


def _without_empty_end(cells: list[str], least: int) -> list[str]:
    """Cells without the empty ones at the end, as spreadsheets write them; ``least`` cells stay in any case."""
    while len(cells) > least and not cells[-1]:
        cells = cells[:-1]
    return cells


def _read_row(line: int, cells: list[str], columns: list[str]) -> ClassRow:
    cells = _without_empty_end(cells, len(columns))
    if len(cells) > len(columns):
        raise ValueError(f"{len(cells)} values, but the header names {len(columns)} columns")
    values = dict.fromkeys(COLUMNS, "") | dict(zip(columns, cells, strict=False))
    values["name"] = normalize("NFC", values["name"])
    number = _read_number(values["index"], "the index", MAX_VALUE)
    colors = [values[channel] for channel in "rgb"]
    color = None
    if any(colors):
        red, green, blue = (
            _read_number(value, f"the colour {channel}", 255) for channel, value in zip("rgb", colors, strict=True)
        )
        color = red, green, blue
    if values["ignore"].lower() not in _YES_NO:
        raise ValueError(f"ignore is {values['ignore']!r}; 1 or 0 (yes or no) was expected")
    marked = _YES_NO[values["ignore"].lower()]
    ignored = values["name"].lower() in IGNORED_NAMES if marked is None else marked
    if not values["name"] and not ignored:
        raise ValueError("the class has no name")
    if not ignored and (problem := explain_name(values["name"])):
        raise ValueError(problem)
    return ClassRow(line, number, values["name"], color, ignored)


def _read_number(text: str, what: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 8 and int(text) <= most):
        raise ValueError(f"{what} is {text!r}; a whole number from 0 to {most} was expected")
    return int(text)


def to_csv(rows: Iterable[Sequence[Any]]) -> str:
    """The content of a class table, from cells in the order of ``COLUMNS``."""
    return csv_text([COLUMNS, *rows])


def _clashes(rows: Sequence[ClassRow]) -> Iterator[str]:
    """A sentence for each row that repeats the index, or the name of a class, of an earlier one."""
    indices: dict[int, int] = {}
    names: dict[str, int] = {}
    for row in rows:
        if (first := indices.setdefault(row.number, row.line)) != row.line:
            yield f"line {row.line}: the index {row.number} stands in line {first} already; every index needs one row"
        if not row.ignored and (first := names.setdefault(row.name, row.line)) != row.line:
            yield f"line {row.line}: the name {row.name!r} stands in line {first} already; names must differ"
