"""Output to a terminal and progress on it, for the command line and for calls of one line in Python.

Names of files and classes may come from strangers, and must neither command a terminal nor stop a verb. While a verb runs,
``sys.stdout`` and ``sys.stderr`` filter all that is written to them, so that no caller has to think of it. Rich writes escape
sequences of its own; it gets the unfiltered stream by ``TerminalConsole``, which filters what is rendered.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType, RenderHook
from rich.file_proxy import FileProxy
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.segment import Segment

from attseg.text import harmless


class FilteredStream:
    """A text stream that writes ``harmless`` text, and else is the stream that it was made of."""

    def __init__(self, stream: TextIO) -> None:
        self.unfiltered = stream

    def write(self, text: str) -> int:
        """Write a text."""
        self.unfiltered.write(harmless(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unfiltered, name)


def filtered(stream: Any) -> TextIO:
    """A stream, filtered once."""
    return cast("TextIO", stream if isinstance(stream, FilteredStream) else FilteredStream(stream))


@contextmanager
def filtered_output() -> Iterator[None]:
    """Filter standard output and standard error within the block.

    What the encoding of standard output does not have is spelled out, as in errors.
    """
    out, err = sys.stdout, sys.stderr
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = filtered(out), filtered(err)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


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


def progress_console() -> TerminalConsole:
    """Where messages on the way go: standard error, so that standard output holds only results."""
    return TerminalConsole(stderr=True)


class ProgressLine:
    """A line of a progress bar, which is called with how much is done and of how much, where that is known.

    Args:
        bar: The bar.
        name: What is being done.
        total: How much there is to do, if that is known.
        partial: Whether it is about a part of a longer job, and not there before it begins and after it ends.
    """

    def __init__(self, bar: Progress, name: str, *, total: int | None = None, partial: bool = False) -> None:
        self.bar, self.partial, self.name = bar, partial, name
        self.task = bar.add_task(name, total=total, visible=not partial)

    def __call__(self, done: int, total: int | None = None, *_: object) -> None:
        """Show how much is done; further arguments, such as the name of a file, are not shown."""
        visible = not self.partial or total is None or done < total
        self.bar.update(self.task, completed=done, total=total, visible=visible)

    def step(self, name: str, done: int, total: int | None) -> None:
        """The same for one step of several, by its name."""
        if name != self.name:
            self.bar.reset(self.task, description=name)
            self.name = name
        self(done, total)

    def within(self, name: str) -> ProgressLine:
        """A line for the parts of what this line counts, such as the windows of an image."""
        return ProgressLine(self.bar, name, partial=True)


@contextmanager
def progress(
    name: str, *, total: int | None = None, in_bytes: bool = False, console: Console | None = None
) -> Iterator[ProgressLine]:
    """A bar that vanishes when it is done.

    Args:
        name: What is being done.
        total: How much there is to do, if that is known.
        in_bytes: Whether bytes are counted.
        console: Where it is shown (default: on standard error, where that is a terminal).
    """
    console = console or TerminalConsole(stderr=True, quiet=not sys.stderr.isatty())
    counts = (DownloadColumn(), TransferSpeedColumn()) if in_bytes else (MofNCompleteColumn(),)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), *counts, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield ProgressLine(bar, name, total=total)
