"""Output to a terminal: names of files and classes may come from strangers, and must neither command it nor stop a verb.

While a verb runs, ``sys.stdout`` and ``sys.stderr`` filter all that is written to them, so that no caller has to think of it.
Rich writes escape sequences of its own; it gets the unfiltered stream by ``output.TerminalConsole``, which filters what
is rendered.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

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
