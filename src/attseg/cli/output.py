"""What all verbs print with."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text


def print_table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, last: Sequence[Any] | None = None) -> None:
    """Print rows below headings on standard output; numbers are set to the right.

    Args:
        headings: One a column.
        rows: Texts and numbers.
        last: A row below a line, for totals.
    """
    rows = list(rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column, heading in enumerate(headings):
        numeric = all(_is_number(row[column]) for row in rows)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    if last is not None:
        table.add_section()
        table.add_row(*(Text(str(cell), "bold") for cell in last))
    console = Console()
    with console.capture() as text:  # because rich ends the process where the reader of a pipe has gone
        console.print(table)
    print(text.get(), end="")


def _is_number(cell: Any) -> bool:
    """Whether a cell reads as a number, a lower bound of one, or the lack of one."""
    text = str(cell).removeprefix("≥ ")
    return isinstance(cell, int | float) or text[:1].isdigit() or text in ("", "-")


def progress_console() -> Console:
    """Where messages on the way go: standard error, so that standard output holds only results."""
    return Console(stderr=True)


def progress_bar() -> Progress:
    """A bar on standard error that vanishes when it is done; nothing where that is no terminal."""
    return _bar(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def bytes_bar() -> Progress:
    """The same, for bytes."""
    return _bar(BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())


def _bar(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True, quiet=not sys.stderr.isatty())
    return Progress(TextColumn("{task.description}"), *columns, console=console, transient=True)
