"""Process locks: a file that one process holds at a time, and that a process which has died no longer holds."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from attseg.files import FileError, NotAFile, obstacle, open_file, refuse_in_place, refuse_link

_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
"""Error codes of network file systems without locks."""


@contextmanager
def locked(path: Path, busy: Callable[[str], Exception], *, remove: bool = False) -> Iterator[None]:
    """Hold a lock while the block runs. On a network disk without locks, the block runs without one.

    The lock is the system's, and ends with the process however that ends. The file holds the number of the process, for people.

    Args:
        path: The lock's file; folders on the way are made.
        busy: Gives the error to raise where another process holds the lock, from its number, or ``?`` where it is not known.
        remove: Whether the file is removed at the end. A file that is found at the beginning then tells that the process
            which made it was killed.

    Raises:
        FileError: The file cannot be written, or is a link or no regular file.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "lock"
        >>> with locked(path, RuntimeError):
        ...     with locked(path, RuntimeError):
        ...         pass
        Traceback (most recent call last):
        RuntimeError: ...
    """
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        refuse_in_place(path)
        refuse_link(path)
        lock.acquire()
    except Timeout:
        raise busy(_owner(path)) from None
    except NotAFile as error:
        raise FileError(f"cannot write {path}: {error.strerror}") from error
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise FileError(f"cannot write {path}: {obstacle(error, path)}") from error
    try:
        with (
            suppress(OSError),
            open_file(path, "w") as file,
        ):  # where the system keeps others from locked files, without
            file.write(f"{os.getpid()}\n")
        yield
    finally:
        if remove:
            with suppress(OSError):
                path.unlink()
        lock.release()


def _owner(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError), open_file(path, "r", encoding="utf-8") as file:
        return file.read(20).strip() or "?"
    return "?"
