"""Content of files that somebody else may have made: plain files only, and no more than a file of its kind can need."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from attseg.data.sample import DataError
from attseg.files import kind_of, open_file


def refuse_special(path: str | Path) -> None:
    """Refuse what is neither a file nor a folder: reading a pipe waits for ever, and a device may have no end.

    Links are followed, so that it is what they lead to that counts.

    Raises:
        DataError: It is a pipe, a socket or a device.
        OSError: There is nothing there, or it may not be looked at.

    Example:
        >>> refuse_special("/dev/null")
        Traceback (most recent call last):
        attseg.data.sample.DataError: /dev/null cannot be read: it is a device, and a regular file was expected
    """
    mode = os.stat(path).st_mode  # noqa: PTH116, a path may be a text
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise DataError(f"{path} cannot be read: it is {kind_of(mode)}, and a regular file was expected")


def read_content(path: Path, *, most: int, what: str) -> bytes:
    """The bytes of a file.

    Args:
        path: The file.
        most: Bytes that it may have.
        what: What it should be, for the message.

    Raises:
        DataError: It cannot be read, is no plain file, or has more bytes.
    """
    try:
        with open_file(path) as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        raise DataError(f"{path} cannot be read: there is no such file") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(content) > most:
        raise DataError(f"{path} has more than {most} bytes; {what} was expected")
    return content
