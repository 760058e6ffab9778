"""Which pictures are meant by files, folders and patterns, and under which name the results of each are kept."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from attseg.errors import UsageError
from attseg.files import no_such_path

SUFFIXES = frozenset(
    (".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tga", ".tif", ".tiff", ".webp")
)
"""What marks a file as a picture where a folder or a pattern is searched; a file that is named is taken as it is."""


@dataclass(frozen=True)
class PictureFile:
    """A picture to work on.

    Args:
        path: Where it lies.
        name: What its results are called: unlike every other name, with ``/`` between folders.
    """

    path: Path
    name: str


def is_pattern(text: str | Path) -> bool:
    """Whether a path stands for several files, by ``*``, ``?`` or ``[...]``, and is not itself there."""
    return glob.has_magic(str(text)) and not Path(text).exists()


def find_pictures(inputs: Iterable[str | Path], *, outside: Path | None = None) -> list[PictureFile]:
    """The pictures that files, folders (with all folders inside) and patterns (``**`` for any folders) stand for.

    A picture is named by its path below its folder or pattern, without the suffix. Where two would be called the same,
    all are named by their paths below the folder that holds them all; where only suffixes differ, these stay in the names.

    Args:
        inputs: Files, folders and patterns, in the order in which they are to be worked on.
        outside: A folder whose files do not count where folders and patterns are searched: that of earlier results.

    Raises:
        UsageError: An input is not there, or nothing was found.

    Example:
        >>> find_pictures(["street.jpg"])
        Traceback (most recent call last):
        attseg.errors.UsageError: there is no file or folder 'street.jpg'; ...
    """
    inputs = list(inputs)
    found: dict[Path, _Found] = {}
    for given in inputs:
        for one in _search(Path(given).expanduser(), outside):
            found.setdefault(_normal(one.path), one)
    if not found:
        raise UsageError(
            f"no picture was found in {', '.join(str(given) for given in inputs) or 'an empty list'}; give picture files, "
            f"folders with {', '.join(sorted(SUFFIXES))}, or patterns such as 'photos/**/*.jpg'"
        )
    return [PictureFile(one.path, name) for one, name in zip(found.values(), _names(found), strict=True)]


class _Found(NamedTuple):
    path: Path
    root: Path
    """The folder below which the path is named."""


def _search(given: Path, outside: Path | None) -> Iterator[_Found]:
    if given.is_file():
        yield _Found(given, given.parent)
    elif given.is_dir():
        yield from _pictures(given.rglob("*"), given, outside)
    elif is_pattern(given):
        matches = glob.iglob(str(given), recursive=True)  # noqa: PTH207, that of pathlib leaves out files where ** ends a pattern
        yield from _pictures(map(Path, matches), _fixed_part(given), outside)
    else:
        raise no_such_path(given)


def _pictures(paths: Iterable[Path], root: Path, outside: Path | None) -> Iterator[_Found]:
    for path in sorted(paths):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        earlier = outside is not None and _normal(path).is_relative_to(_normal(outside))
        if path.suffix.lower() in SUFFIXES and path.is_file() and not hidden and not earlier:
            yield _Found(path, root)


def _fixed_part(pattern: Path) -> Path:
    while glob.has_magic(str(pattern)):
        pattern = pattern.parent
    return pattern


def _normal(path: Path) -> Path:
    """The absolute path without ``..``; links are not followed, for it is their names that a user knows."""
    return Path(os.path.normpath(path.absolute()))


def _names(found: dict[Path, _Found]) -> list[str]:
    """The shortest kind of name that tells all apart."""
    shared = Path(os.path.commonpath([path.parent for path in found]))
    full = [path.relative_to(shared) for path in found]
    long = [path.with_suffix("") for path in full]
    short = [one.path.relative_to(one.root).with_suffix("") for one in found.values()]
    names = short if _all_differ(short) else long if _all_differ(long) else full
    return [name.as_posix() for name in names]


def _all_differ(names: list[Path]) -> bool:
    """Whether the names differ even where a disk does not tell a from A."""
    return len({name.as_posix().casefold() for name in names}) == len(names)
