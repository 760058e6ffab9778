"""Opening regular files only, atomic writes, and I/O errors that say what to do."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO

from attseg.errors import UsageError


class FileError(OSError):
    """A file cannot be read or written; the message says which, why, and what to do."""


class NotAFile(FileError):
    """A folder, pipe, socket or device where a regular file was expected.

    Args:
        path: Its name.
        kind: What it is, as ``kind_of`` says it.
    """

    def __init__(self, path: str | Path, kind: str) -> None:
        super().__init__(errno.EINVAL, f"it is {kind}, and a regular file was expected", str(path))

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def kind_of(mode: int) -> str:
    """Kind of a file system entry, from its mode, in words.

    Example:
        >>> kind_of(os.stat(os.devnull).st_mode)
        'a device'
    """
    kinds = {stat.S_IFREG: "regular file", stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    return f"a {kinds.get(stat.S_IFMT(mode), 'device')}"


def open_file(path: str | Path, mode: str = "rb", **options: Any) -> Any:
    """Like ``open``, for regular files only. Links are followed. Never blocks: pipes and devices are refused unopened.

    All of attseg opens files with this, or checks them with ``require_file`` before a library opens them.

    Args:
        path: The file.
        mode: As of ``open``.
        **options: As of ``open``.

    Returns:
        The open file, as of ``open``.

    Raises:
        NotAFile: There is something else.
        OSError: It cannot be opened, as of ``open``.
    """
    return open(path, mode, opener=_open_regular, **options)


def _open_regular(path: str, flags: int) -> int:
    with suppress(FileNotFoundError):
        _refuse_other(path, os.stat(path).st_mode)  # noqa: PTH116 # before opening: a device may react to that
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    try:
        _refuse_other(path, os.fstat(descriptor).st_mode)  # it may have been exchanged since
    except NotAFile:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_other(path: str | Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotAFile(path, kind_of(mode))


def require_file(path: Path) -> Path:
    """The path of a regular file, to be opened by a library.

    Raises:
        UsageError: There is no such file; the message proposes the nearest name.
        NotAFile: There is something else.
        FileError: It may not be looked at.
    """
    try:
        _refuse_other(path, path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise no_such_path(path) from None
    except NotAFile:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return path


def read_bytes(path: Path) -> bytes:
    """The content of a regular file; errors as of ``open_file``."""
    with open_file(path) as file:
        return file.read()


def read_text(path: Path) -> str:
    """The same as text in UTF-8."""
    with open_file(path, "r", encoding="utf-8") as file:
        return file.read()


PART = re.compile(r"\.attseg-[0-9a-f]{16}\.part")
"""Names of files that ``replacing`` is writing."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of ``path`` when the block ends well and vanishes when it does not.

    The new content is on the disk before it gets its name, so that even a crash leaves either the old file or the new one.
    Folders on the way are made. A link is replaced itself, and what it leads to is left alone.

    Raises:
        FileError: No permission, no space, or something else is in the way: a folder, pipe, socket or device is never replaced.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "new" / "hello.txt"
        >>> with replacing(path) as file:
        ...     _ = file.write(b"hello")
        >>> path.read_text()
        'hello'
    """
    part = path.with_name(f".attseg-{secrets.token_hex(8)}.part")
    try:
        refuse_in_place(path)
        with making(path.parent):
            try:
                raw = open_file(part, "xb", buffering=0)
                with _Writer(raw) as file:
                    yield file
                    file.flush()
                    os.fsync(raw.fileno())
                part.replace(path)
            finally:
                with suppress(OSError):
                    part.unlink()
    except NotAFile as error:
        raise FileError(f"cannot write {path}: {error.strerror}") from error
    except FileError:  # of another file, which the block writes too
        raise
    except OSError as error:
        raise FileError(f"cannot write {path}: {obstacle(error, path)}") from error


class _Writer(io.BufferedWriter):
    """Hides its descriptor: Pillow would write to that itself, and not notice that a disk took only a part."""

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


@contextmanager
def making(folder: Path) -> Iterator[None]:
    """Make a folder and those above it. Where the block fails, those that are still empty are removed again.

    Raises:
        OSError: It cannot be made.

    Example:
        >>> import tempfile
        >>> top = Path(tempfile.mkdtemp())
        >>> try:
        ...     with making(top / "runs" / "first"):
        ...         raise RuntimeError
        ... except RuntimeError:
        ...     list(top.iterdir())
        []
    """
    missing = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for place in missing:  # the deepest first
            with suppress(OSError):
                place.rmdir()
        raise


def refuse_in_place(path: Path) -> None:
    """Refuse to replace what is no file and no link to one.

    Raises:
        NotAFile: It is a pipe, a socket or a device. A folder is told by the system.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):
            raise NotAFile(path, kind_of(mode))


def refuse_link(path: Path) -> None:
    """Refuse a link where a file is to be opened for writing in place, such as a lock or a log.

    Raises:
        NotAFile: It is a link, which may lead to a file of others.
    """
    if path.is_symlink():
        raise NotAFile(path, "a link")


def write_file(path: Path, content: bytes | memoryview | str) -> None:
    """Write a whole file; errors as of ``replacing``."""
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def clear_parts(folder: Path, *, before: float, below: bool = False) -> None:
    """Remove files that ``replacing`` was writing in a folder when its process was killed; nothing else.

    Args:
        folder: The folder; where there is none, nothing happens.
        before: Only files whose last change is no later, in seconds since 1970.
        below: Whether folders inside count too, but for links to folders.
    """
    for place, folders, names in os.walk(folder):
        if not below:
            folders.clear()
        for part in (Path(place, name) for name in names if PART.fullmatch(name)):
            with suppress(OSError):
                found = part.lstat()
                if stat.S_ISREG(found.st_mode) and found.st_mtime <= before:
                    part.unlink()


def stamp_of(path: Path) -> list[int]:
    """Size in bytes and time of the last change in nanoseconds; -1 and -1 where there is no such file."""
    try:
        found = path.stat()
    except OSError:
        return [-1, -1]
    return [found.st_size, found.st_mtime_ns]


def digest_file(path: Path) -> str:
    """Short digest (16 hexadecimal digits) of the content of a file."""
    with open_file(path) as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()


def no_such_path(path: Path) -> UsageError:
    """The error for a file or folder that is not there, with the nearest name that is."""
    step = path
    while not step.parent.is_dir() and step != step.parent:
        step = step.parent
    names = names_in(step.parent)
    near = get_close_matches(step.name, names, n=1)
    folder = "the current folder" if step.parent == Path() else str(step.parent)
    if near:
        hint = f"did you mean {str(step.with_name(near[0]))!r}?"
    elif names:
        hint = f"{folder} holds {', '.join(names[:10])}{f' and {len(names) - 10} more' if len(names) > 10 else ''}"
    else:
        hint = f"{folder} is empty"
    return UsageError(f"there is no file or folder {str(path)!r}; {hint}")


def names_in(folder: Path) -> list[str]:
    """Names in a folder, hidden ones left out; none where it cannot be read."""
    with suppress(OSError):
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    return []


def obstacle(error: OSError, path: Path) -> str:
    """The reason why ``path`` cannot be written, and what to do about it."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"no space is left in {path.parent}; free some, or choose another folder"
        case errno.EFBIG:
            return "the limit on the size of a file is reached; raise it (ulimit -f), or choose another disk"
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
