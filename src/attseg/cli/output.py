"""Results on standard output: texts, tables, JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from json import dumps
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from attseg.console import TerminalConsole
from attseg.text import TextTable, harmless


def print_table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, last: Sequence[Any] | None = None) -> None:
    """Print rows below headings; numbers are set to the right.

    Args:
        headings: One a column.
        rows: Texts and numbers.
        last: A row below a line, for totals.
    """
    rows = list(rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column, heading in enumerate(headings):
        numeric = all(_is_number(row[column]) for row in rows)
        table.add_column(Text(harmless(heading)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(harmless(str(cell))) for cell in row))
    if last is not None:
        table.add_section()
        table.add_row(*(Text(harmless(str(cell)), "bold") for cell in last))
    console = TerminalConsole()
    with console.capture() as text:  # because rich ends the process where the reader of a pipe has gone
        console.print(table)
    console.file.write(text.get())


def print_parts(parts: Iterable[str | TextTable]) -> None:
    """Print texts and tables, one below the other."""
    for part in parts:
        if isinstance(part, str):
            print(part)
        else:
            print_table(part.headings, part.rows, last=part.last)


def tell(text: str) -> None:
    """Say something on standard error, beside the results."""
    print(text, file=sys.stderr)


def print_result(values: Any, parts: Iterable[str | TextTable], *, json: bool) -> None:
    """Print a result, as JSON or as texts and tables."""
    if json:
        print(dumps(values, indent=2))
    else:
        print_parts(parts)


def _is_number(cell: Any) -> bool:
    """Whether a cell reads as a number, a lower bound of one, or the lack of one."""
    text = str(cell).removeprefix("≥ ")
    return isinstance(cell, int | float) or text[:1].isdigit() or text in ("", "-")
