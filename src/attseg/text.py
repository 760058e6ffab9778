"""Text and tables to show; makes text from strangers safe: names of files, classes and models, and metadata."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

LONGEST_NAME = 200
"""Characters of a name that are shown."""

LONGEST_MESSAGE = 4000
"""Characters of an error message that are shown."""

_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but for tabs and line feeds
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\xad\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # zero width, and other format characters
    "\U0001d173-\U0001d17a\U000e0001-\U000e007f"  # of music, and tags
    "\u2028\u2029"  # separators of lines and paragraphs
    "\ud800-\udfff"  # surrogates: bytes of file names that are not UTF-8
    "\u115f\u1160\u2800\u3164\uffa0"  # letters and a symbol that show nothing
    "]"
)


@dataclass(frozen=True)
class TextTable:
    """A table for people.

    Args:
        headings: One a column.
        rows: Texts and numbers.
        last: A row below a line, for totals.
    """

    headings: Sequence[str]
    rows: Iterable[Sequence[Any]]
    last: Sequence[Any] | None = None


def harmless(text: str) -> str:
    r"""Spell out the characters that command a terminal, reorder or hide text, or cannot be encoded.

    Control characters but line feeds and tabs, bidirectional controls, zero-width characters, line and paragraph separators, and
    surrogates, which stand for the bytes of file names that are not UTF-8.

    Example:
        >>> print(harmless("red" + chr(27) + "[31m caf\udce9 a" + chr(0x202E) + "b"))
        red\x1b[31m caf\udce9 a\u202eb
    """
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def short(text: str, most: int = LONGEST_NAME) -> str:
    r"""The same on one line, without the middle of what is longer than ``most`` characters.

    Example:
        >>> print(short("a" + chr(10) + "b"))
        a\nb
        >>> print(short("x" * 1000, 20))
        xxxxxxxxxx.. (1000 characters) ..xxxxxxxxxx
    """
    return cut(harmless(text).replace("\n", r"\n").replace("\t", r"\t"), most)


def in_markdown(text: str, most: int = LONGEST_MESSAGE) -> str:
    r"""The same in a paragraph or a cell of Markdown, which finds no HTML, code or column in it.

    Example:
        >>> print(in_markdown("a|b `c` <img>" + chr(10)))
        a/b 'c' &lt;img&gt;
    """
    text = html.escape(short(" ".join(text.split()), most), quote=False)
    return text.replace("`", "'").replace("|", "/")


def is_utf8(path: object) -> bool:
    """Whether a path, as text, is Unicode; libraries in C++ and Rust open no others.

    Example:
        >>> is_utf8("café"), is_utf8("caf" + chr(0xDCE9))
        (True, False)
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names as a sentence has them.

    Example:
        >>> listed(["a"]), listed(["a", "b", "c"])
        ('a', 'a, b and c')
    """
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def cut(text: str, most: int) -> str:
    """A text without its middle where it is longer than ``most`` characters."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}.. ({len(text)} characters) ..{text[-half:]}"


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    r"""Rows of a table as CSV.

    Example:
        >>> csv_text([("name", "split"), ("a", 1)])
        'name,split\na,1\n'
    """
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def dimensions(shape: Iterable[int]) -> str:
    """The lengths of a shape.

    Example:
        >>> dimensions((480, 640, 3)), dimensions(())
        ('480 x 640 x 3', 'a scalar')
    """
    return " x ".join(map(str, shape)) or "a scalar"
