"""Folders below a folder, links included, without walking in a circle."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

LEFTOVERS = frozenset((
    "$recycle.bin", "#recycle", "#snapshot", "@eadir", "@recycle", "@recently-snapshot", "@tmp", "__macosx",
    "desktop.ini", "ehthumbs.db", "lost+found", "recycler", "thumbs.db", "icon\r", "system volume information"
))  # fmt: skip
"""Names, in lower case, that begin with no dot: of Windows, macOS, Linux, and the NAS systems of Synology and QNAP."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is skipped wherever folders are searched for data.

    The rule is about names below the folder that was given: that folder, and a file that is named itself, are taken as they are.

    Args:
        name: The last part of a path.

    Example:
        >>> [is_hidden(name) for name in (".ipynb_checkpoints", "._001.jpg", "@eaDir", "Thumbs.db", "001.jpg")]
        [True, True, True, True, False]
    """
    return name.startswith(".") or name.casefold() in LEFTOVERS


def visible(names: Iterable[str]) -> list[str]:
    """The names that are not hidden, in their order."""
    return [name for name in names if not is_hidden(name)]


def walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """A folder and all folders below it, each with the sorted names of the files in it.

    Hidden files and folders are skipped (``attseg.data.reading.walk``). Links to folders are followed, since people link their
    data together. A folder that several links lead to is visited once, under the first of its names, so that links that lead
    back, or to one another, come to an end. A folder that may not be read is empty.

    Args:
        folder: Where to begin; a folder that does not exist is empty.

    Example:
        >>> import tempfile
        >>> home = Path(tempfile.mkdtemp())
        >>> (home / "round").symlink_to(home)
        >>> (home / "a.png").touch(); (home / ".DS_Store").touch()
        >>> [(path == home, names) for path, names in walk(home)]
        [(True, ['a.png'])]
    """
    for path, names, _ in _visit(folder):
        yield path, names


def hidden_below(folder: Path) -> list[Path]:
    """Files and folders that ``walk`` skips for their names; what is inside a hidden folder is not listed."""
    return [path / name for path, _, hidden in _visit(folder) for name in hidden]


def unread_below(folders: Iterable[Path], suffixes: Collection[str]) -> Counter[str]:
    """How many visible files below some folders end in what is not read, by their endings in lower case.

    Args:
        folders: Where to begin.
        suffixes: The endings of what is read.
    """
    endings = (Path(name).suffix.lower() for folder in folders for _, names in walk(folder) for name in names)
    return Counter(ending for ending in endings if ending not in suffixes)


def _visit(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Each folder with its sorted visible files, and the sorted names that are hidden."""
    seen: set[tuple[int, int]] = set()
    for path, below, files in os.walk(folder, followlinks=True):
        try:
            status = os.stat(path)  # noqa: PTH116, os.walk gives texts
        except OSError:  # it went away
            below.clear()
            continue
        if (identity := (status.st_dev, status.st_ino)) in seen:
            below.clear()
            continue
        seen.add(identity)
        names = {*below, *files}
        below[:] = sorted(visible(below))
        shown = sorted(visible(files))
        yield Path(path), shown, sorted(names - {*below, *shown})


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Contents of a folder without hidden entries; empty if there is no such folder."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as found:
        return [entry for entry in found if not is_hidden(entry.name)]
