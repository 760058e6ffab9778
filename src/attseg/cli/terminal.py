"""Texts on a terminal: names of files and classes may come from strangers, and must neither command it nor stop a verb."""

from __future__ import annotations

import io
import re
import sys

_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def harmless(text: str) -> str:
    r"""A text whose control characters, but for line ends and tabs, are spelt out.

    Example:
        >>> harmless("red" + chr(27) + "[31m")
        'red\\x1b[31m'
    """
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def spell_out_unknown() -> None:
    """Let standard output spell out what its encoding does not have, such as a file name that is no UTF-8, as errors are."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
