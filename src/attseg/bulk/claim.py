"""A folder of results belongs to one process at a time, and what a killed one was writing is cleared away."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from attseg.bulk.share import ALONE, Share
from attseg.errors import UsageError
from attseg.files import FileError, obstacle

YOUNG = 60.0
"""Seconds for which a half-written file may be that of another process that has begun just before."""


@contextmanager
def claimed(folder: Path, share: Share = ALONE) -> Iterator[None]:
    """Hold a share of a folder of results while the block runs; the folder is made if it is not there.

    A file that is there as long as the work goes on says that it was cut short where it is found later. Then half-written files
    are removed; where there are several processes, only those that none of them can be writing now.

    Raises:
        UsageError: Another process is writing the same share of the same folder.
        FileError: The folder cannot be written.
    """
    path = folder / share.file(".predicting", "")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        was_killed = path.exists()
        file = _lock(path)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot write {path}: {obstacle(error, path)}") from error
    with file:
        if was_killed:
            clear(folder, before=time.time() - (YOUNG if share.world > 1 else 0))
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()


def clear(folder: Path, *, before: float) -> None:
    """Remove files that were half written at some time."""
    for place, _, names in os.walk(folder):
        for name in names:
            if name.startswith(".") and name.endswith(".part"):
                part = Path(place, name)
                with suppress(OSError):
                    if part.stat().st_mtime <= before:
                        part.unlink()


def _lock(path: Path) -> IO[str]:
    """The open file, locked; the lock is the system's and vanishes with the process, however it ends."""
    while True:
        file = path.open("a+")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.seek(0)
            owner = file.read().strip() or "?"
            file.close()
            raise UsageError(
                f"process {owner} is writing to {path.parent}; wait for it to end, or choose another folder (--out). Several "
                "processes share one folder under torchrun"
            ) from None
        except OSError:
            return file  # a network disk without locks
        try:
            is_same = path.stat().st_ino == os.fstat(file.fileno()).st_ino
        except FileNotFoundError:
            is_same = False
        if is_same:
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            return file
        file.close()  # whoever had it has removed it in between
