"""Folders below a folder, links included, without walking in a circle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """A folder and all folders below it, each with the sorted names of what in it is no folder.

    Links to folders are followed, for people link their data together. A folder that several links lead to is gone through once,
    under the first of its names, so that links that lead back, or to one another, come to an end. A folder that may not be read
    is empty.

    Args:
        folder: Where to begin; what does not exist is empty.

    Example:
        >>> import tempfile
        >>> home = Path(tempfile.mkdtemp())
        >>> (home / "round").symlink_to(home)
        >>> (home / "a.png").touch()
        >>> [(path == home, names) for path, names in walk(home)]
        [(True, ['a.png'])]
    """
    seen: set[tuple[int, int]] = set()
    for path, below, names in os.walk(folder, followlinks=True):
        try:
            status = os.stat(path)  # noqa: PTH116, os.walk gives texts
        except OSError:  # it went away
            below.clear()
            continue
        if (identity := (status.st_dev, status.st_ino)) in seen:
            below.clear()
            continue
        seen.add(identity)
        below.sort()
        yield Path(path), sorted(names)
