"""Writing files so that nobody ever finds half of one, and saying well what stands in the way."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO

from attseg.errors import UsageError


class FileError(OSError):
    """A file cannot be read or written; the message says which, why, and what to do."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of ``path`` when the block ends well and vanishes when it does not.

    The new content is on the disk before it gets its name, so that even a crash leaves either the old file or the new one.
    Folders on the way are made.

    Raises:
        FileError: No permission, no space, or something else is in the way.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "new" / "hello.txt"
        >>> with replacing(path) as file:
        ...     _ = file.write(b"hello")
        >>> path.read_text()
        'hello'
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise FileError(f"cannot write {path}: {obstacle(error, path)}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def digest_file(path: Path) -> str:
    """Short digest (16 hexadecimal digits) of the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()


def no_such_path(path: Path) -> UsageError:
    """The error for a file or folder that is not there, with the nearest name that is."""
    step = path
    while not step.parent.is_dir() and step != step.parent:
        step = step.parent
    names = _names(step.parent)
    near = get_close_matches(step.name, names, n=1)
    folder = "the current folder" if step.parent == Path() else str(step.parent)
    if near:
        hint = f"did you mean {str(step.with_name(near[0]))!r}?"
    elif names:
        hint = f"{folder} holds {', '.join(names[:10])}{f' and {len(names) - 10} more' if len(names) > 10 else ''}"
    else:
        hint = f"{folder} is empty"
    return UsageError(f"there is no file or folder {str(path)!r}; {hint}")


def _names(folder: Path) -> list[str]:
    with suppress(OSError):
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    return []


def obstacle(error: OSError, path: Path) -> str:
    """What stands in the way of writing to ``path``, and what to do about it."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"no space is left in {path.parent}; free some, or choose another folder"
        case errno.EACCES | errno.EPERM:
            return f"no permission to write to {path.parent}; choose another folder, or have its permissions changed"
        case errno.EROFS:
            return f"{path.parent} lies on a read-only disk; choose another folder"
        case errno.EEXIST | errno.ENOTDIR:
            return f"a file is where the folder {path.parent} should be; remove it, or choose another folder"
        case errno.EISDIR:
            return "a folder has this name; remove it, or choose another name"
        case _:
            return error.strerror or str(error)
