"""Consoles and progress of all verbs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderHook
from rich.file_proxy import FileProxy
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
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from attseg.cli.terminal import filtered
from attseg.text import TextTable, harmless


class TerminalConsole(Console):
    """Rich's console, which renders ``harmless`` text.

    Args:
        stderr: Whether it writes to standard error.
        quiet: Whether it writes nothing.
    """

    def __init__(self, *, stderr: bool = False, quiet: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        super().__init__(file=getattr(stream, "unfiltered", stream), quiet=quiet)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of an object, with harmless text."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(harmless(segment.text), segment.style)

    def push_render_hook(self, hook: RenderHook) -> None:
        """Filter what is printed beside a progress bar too, which rich would otherwise search for escape sequences."""
        super().push_render_hook(hook)
        if isinstance(sys.stdout, FileProxy):
            sys.stdout = filtered(sys.stdout)
        if isinstance(sys.stderr, FileProxy):
            sys.stderr = filtered(sys.stderr)


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
    """Print texts and tables on standard output, one below the other."""
    for part in parts:
        if isinstance(part, str):
            print(part)
        else:
            print_table(part.headings, part.rows, last=part.last)


def _is_number(cell: Any) -> bool:
    """Whether a cell reads as a number, a lower bound of one, or the lack of one."""
    text = str(cell).removeprefix("≥ ")
    return isinstance(cell, int | float) or text[:1].isdigit() or text in ("", "-")


def progress_console() -> TerminalConsole:
    """Where messages on the way go: standard error, so that standard output holds only results."""
    return TerminalConsole(stderr=True)


def progress_bar() -> Progress:
    """A bar on standard error that vanishes when it is done; nothing where that is no terminal."""
    return _bar(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def bytes_bar() -> Progress:
    """The same, for bytes."""
    return _bar(BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())


def _bar(*columns: ProgressColumn) -> Progress:
    console = TerminalConsole(stderr=True, quiet=not sys.stderr.isatty())
    return Progress(TextColumn("{task.description}", markup=False), *columns, console=console, transient=True)
