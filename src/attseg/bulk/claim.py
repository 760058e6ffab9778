"""A folder of results belongs to one process at a time; partial files of a killed one are removed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from attseg.bulk.share import ALONE, Share
from attseg.errors import UsageError
from attseg.files import FileError, clear_parts, making, obstacle
from attseg.locks import locked

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
    with ExitStack() as stack:
        try:
            stack.enter_context(making(folder))
            was_killed = path.exists()
        except OSError as error:
            raise FileError(f"cannot write {path}: {obstacle(error, path)}") from error
        stack.enter_context(locked(path, partial(_busy, folder), remove=True))
        if was_killed:
            before = time.time() - (YOUNG if share.world > 1 else 0)
            clear_parts(folder, before=before)
            for own in ("labels", "overlays"):
                clear_parts(folder / own, before=before, below=True)
        there = {*folder.iterdir()}
        try:
            yield
        except BaseException:
            for place in {*folder.iterdir()} - there:  # threads that fail together leave their folder to each other
                with suppress(OSError):
                    place.rmdir()
            raise


def _busy(folder: Path, owner: str) -> UsageError:
    return UsageError(
        f"process {owner} is writing to {folder}; wait for it to end, or choose another folder (--out). Several processes share "
        "one folder under torchrun"
    )
