"""Which pictures are meant by files, folders and patterns, and under which name the results of each are kept."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

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
    roots: dict[Path, Path] = {}
    for given in inputs:
        for path, root in _search(Path(given).expanduser(), outside):
            roots.setdefault(_normal(path), _normal(root))
    if not roots:
        raise UsageError(
            f"no picture was found in {', '.join(str(given) for given in inputs) or 'an empty list'}; give picture files, "
            f"folders with {', '.join(sorted(SUFFIXES))}, or patterns such as 'photos/**/*.jpg'"
        )
    return [PictureFile(path, name) for path, name in zip(roots, _names(roots), strict=True)]


def _search(given: Path, outside: Path | None) -> Iterator[tuple[Path, Path]]:
    """Each file that ``given`` stands for, with the folder below which it is named."""
    if given.is_file():
        yield given, given.parent
    elif given.is_dir() or is_pattern(given):
        root = _fixed_part(given)
        pattern = given if is_pattern(given) else given / "**"
        for path in sorted(map(Path, glob.iglob(str(pattern), recursive=True))):  # noqa: PTH207, whose ** leaves out files
            if _is_picture(path) and not (outside and _normal(path).is_relative_to(_normal(outside))):
                yield path, root
    else:
        raise no_such_path(given)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _fixed_part(pattern: Path) -> Path:
    while glob.has_magic(str(pattern)):
        pattern = pattern.parent
    return pattern


def _normal(path: Path) -> Path:
    """The absolute path without ``..``; links are not followed, for it is their names that a user knows."""
    return Path(os.path.normpath(path.absolute()))


def _names(roots: dict[Path, Path]) -> list[str]:
    shared = Path(os.path.commonpath([path.parent for path in roots]))
    short = [path.relative_to(root).with_suffix("") for path, root in roots.items()]
    long = [path.relative_to(shared).with_suffix("") for path in roots]
    full = [path.relative_to(shared) for path in roots]
    names = next(names for names in (short, long, full) if names is full or _all_differ(names))
    return [name.as_posix() for name in names]


def _all_differ(names: list[Path]) -> bool:
    """Whether the names differ even where a disk does not tell a from A."""
    return len({name.as_posix().casefold() for name in names}) == len(names)
