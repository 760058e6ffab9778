"""Which pictures are meant by files, folders and patterns, and under which name the results of each are kept."""

from __future__ import annotations

import glob
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from attseg.data.reading.bands import Bands
from attseg.data.reading.predictions import RESULTS, Results, are_results, is_manifest, links_into, results_around
from attseg.data.reading.value_range import ValueRange
from attseg.data.reading.walk import is_hidden, visible
from attseg.errors import UsageError
from attseg.files import FileError, no_such_path

SUFFIXES = frozenset(
    (".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tga", ".tif", ".tiff", ".webp")
)
"""Suffixes of images that are found in folders and by patterns; a file that is named is taken as it is."""


@dataclass(frozen=True)
class PictureFile:
    """A picture to work on.

    Args:
        path: Where it lies.
        name: What its results are called: unlike every other name, with ``/`` between folders.
        value_range: The values that are black and white, where its data set states them.
        bands: The bands that are read, where its data set states them.
        apply_orientation: Whether it is turned upright by its EXIF orientation.
    """

    path: Path
    name: str
    value_range: ValueRange | None = None
    bands: Bands | None = None
    apply_orientation: bool = True


class Pictures:
    """The pictures that files, folders (with all folders inside) and patterns (``**`` for any folders) stand for.

    They are looked up whenever this is iterated, and none of them is kept: a folder of a million pictures costs the names of its
    files while it is gone through, some 150 bytes each. Files and folders in a folder come by their names, in the order of their
    characters' numbers; inputs in the order in which they are given.

    A picture is named by its path below its folder or pattern, without the suffix; where only suffixes differ in a folder, these
    stay. Where two inputs bring the same name, all pictures are named by their paths below the folder that holds all inputs.

    Args:
        inputs: Files, folders and patterns.
        outside: The folder of results: what lies in its ``labels`` and ``overlays``, through links too, is no input.

    Below an input, the same holds for every folder of results that has a manifest, so that predictions are never inputs unasked.

    Raises:
        UsageError: An input is not there, or nothing was found.
        FileError: A folder cannot be read.

    Example:
        >>> Pictures(["street.jpg"])
        Traceback (most recent call last):
        attseg.errors.UsageError: there is no file or folder 'street.jpg'; ...
    """

    def __init__(self, inputs: Iterable[str | Path], *, outside: Path | None = None) -> None:
        self._inputs = [Path(given).expanduser() for given in inputs]
        self._outside = None if outside is None else Results(outside)
        self._twice: frozenset[int] = frozenset()
        self._naming: Literal["short", "long", "full"] = "short"
        self._count = self._look() if len(self._inputs) > 1 else sum(1 for _ in self._found())
        if not self._count:
            raise UsageError(
                f"no picture was found in {', '.join(map(str, self._inputs)) or 'an empty list'}; give picture files, "
                f"folders with {', '.join(sorted(SUFFIXES))}, or patterns such as 'photos/**/*.jpg'"
            )

    def __len__(self) -> int:
        """How many there were when they were first looked up."""
        return self._count

    def __iter__(self) -> Iterator[PictureFile]:
        shared = _normal(Path(os.path.commonpath([_normal(_root(given)) for given in self._inputs])))
        for one in self._once():
            yield PictureFile(one.path, _name(one, shared, self._naming))

    def _look(self) -> int:
        """Count, and find what is meant twice and which names tell all apart; of each picture some numbers are kept meanwhile."""
        paths = array("q", (hash(_key(one)) for one in self._found()))
        values, counts = np.unique(np.frombuffer(paths, np.int64), return_counts=True)
        self._twice = frozenset(values[counts > 1].tolist())
        shared = _normal(Path(os.path.commonpath([_normal(_root(given)) for given in self._inputs])))
        for naming in ("short", "long", "full"):
            self._naming = naming
            names = array("q", (hash(_name(one, shared, naming).casefold()) for one in self._once()))
            if len(np.unique(np.frombuffer(names, np.int64))) == len(names):
                break
        return len(names)

    def _once(self) -> Iterator[_Found]:
        """Newly found files."""
        seen: set[str] = set()
        for one in self._found():
            if self._twice and hash(key := _key(one)) in self._twice:
                if key in seen:
                    continue
                seen.add(key)
            yield one

    def _found(self) -> Iterator[_Found]:
        for given in self._inputs:
            if self._outside is not None and given.exists() and self._outside.hold(given):
                raise UsageError(
                    f"{given} lies among the results in {self._outside.folder}; name other images, or another folder with --out"
                )
            if self._outside is not None and (results := results_around(_root(given.resolve()))):
                raise UsageError(
                    f"{given} names predictions, for {results.parent} holds their manifest; name the images instead"
                )
            if given.is_file():
                yield _Found(given.parent, "", given.name, False)
            elif given.is_dir():
                yield from _walk(given, "", self._outside)
            elif is_pattern(given):
                yield from _match(given, self._outside)
            elif given.exists():
                raise UsageError(f"{given} is neither a file nor a folder, but a pipe, a socket or a device")
            else:
                raise no_such_path(given)


def is_pattern(text: str | Path) -> bool:
    """Whether a path stands for several files, by ``*``, ``?`` or ``[...]``, and is not itself there."""
    return glob.has_magic(str(text)) and not Path(text).exists()


def is_matched(path: Path, pattern: Path) -> bool:
    """Whether a path that a pattern expands to counts: what is hidden below the fixed part of the pattern does not."""
    return not any(is_hidden(part) for part in path.relative_to(_root(pattern)).parts)


def is_prediction(path: Path, pattern: Path, results: Results | None) -> bool:
    """Whether a path that a pattern expands to lies among the results, or in another folder of predictions with a manifest."""
    return (results is not None and results.hold(path)) or are_results(path.parent, _root(pattern))


def find_pictures(inputs: Iterable[str | Path], *, outside: Path | None = None) -> list[PictureFile]:
    """The same as a list; arguments and errors as of ``Pictures``."""
    return list(Pictures(list(inputs), outside=outside))


class _Found(NamedTuple):
    folder: Path
    below: str
    """Prefix of the name: the folder relative to the root, with a trailing ``/``."""
    file: str
    keeps_suffix: bool
    """Whether another picture of the folder differs in the suffix alone."""

    @property
    def path(self) -> Path:
        return self.folder / self.file


def _walk(folder: Path, below: str, outside: Results | None) -> Iterator[_Found]:
    """The pictures in a folder and all folders inside, but for links to folders."""
    if outside is not None and outside.hold(folder):
        return
    files, folders, has_manifest = [], set(), False
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                has_manifest = has_manifest or is_manifest(entry.name)
                if entry.is_dir(follow_symlinks=False):
                    folders.add(entry.name)
                elif _has_suffix(entry.name) and entry.is_file() and not links_into(entry, outside):
                    files.append(entry.name)
    except OSError as error:
        raise FileError(
            f"the folder {folder} cannot be read: {error.strerror or error}; have its permissions changed, or name the folders "
            "beside it"
        ) from error
    if has_manifest:
        folders.difference_update(RESULTS)
    kept = _keeping(files)
    for name in sorted([*files, *folders]):
        if name in folders:
            yield from _walk(folder / name, f"{below}{name}/", outside)
        else:
            yield _Found(folder, below, name, bool(kept) and _stem(name) in kept)


def _match(pattern: Path, outside: Results | None) -> Iterator[_Found]:
    """The pictures that a pattern stands for."""
    root = _root(pattern)
    inside: dict[Path, list[str]] = {}
    for path in set(_expand(pattern)):
        taken = is_matched(path, pattern) and _has_suffix(path.name) and path.is_file()
        if taken and (outside is None or not outside.hold(path)):
            inside.setdefault(path.parent, []).append(path.name)
    inside = {folder: names for folder, names in inside.items() if not are_results(folder, root)}
    kept = {folder: _keeping(names) for folder, names in inside.items()}
    for path in sorted(folder / name for folder, names in inside.items() for name in names):
        below = path.relative_to(root).as_posix().removesuffix(path.name)
        yield _Found(path.parent, below, path.name, _stem(path.name) in kept[path.parent])


def _expand(pattern: Path) -> Iterator[Path]:
    """Files that a pattern matches; ``**`` does not follow links to folders, which may form a circle."""
    if "**" not in pattern.parts:
        yield from map(Path, glob.iglob(str(pattern)))  # noqa: PTH207, a pattern may begin at the root
        return
    place = pattern.parts.index("**")
    before, rest = Path(*pattern.parts[:place]), pattern.parts[place + 1 :] or ("*",)
    for start in glob.iglob(str(before)):  # noqa: PTH207
        for folder, below, _ in os.walk(start):
            below[:] = visible(below)
            yield from _expand(Path(glob.escape(folder), *rest))


def _root(given: Path) -> Path:
    """The folder below which the pictures of an input are named."""
    if given.is_file():
        return given.parent
    while glob.has_magic(str(given)) and not given.is_dir():
        given = given.parent
    return given


def _has_suffix(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122, a million of these are looked at before the first is read


def _stem(name: str) -> str:
    """The name without its suffix, as a disk sees it that does not tell a from A."""
    return os.path.splitext(name)[0].casefold()  # noqa: PTH122


def _keeping(files: Sequence[str]) -> set[str]:
    """Stems of the files in a folder that keep their suffixes: those that several have, and those that then are a name."""
    stems = np.frombuffer(array("q", (hash(_stem(name)) for name in files)), np.int64)
    values, counts = np.unique(stems, return_counts=True)
    several = frozenset(values[counts > 1].tolist())
    if not several:
        return set()
    kept = {_stem(name) for name in files if hash(_stem(name)) in several}
    whole = {name.casefold() for name in files if _stem(name) in kept}
    return kept | {stem for name in files if (stem := _stem(name)) in whole}


def _normal(path: Path) -> Path:
    """The absolute path without ``..``; links are not followed, for it is their names that a user knows."""
    return Path(os.path.normpath(path.absolute()))


def _key(one: _Found) -> str:
    return str(_normal(one.path))


def _name(one: _Found, shared: Path, naming: Literal["short", "long", "full"]) -> str:
    """The name of a picture: below its own root or below the folder that all share, and without its suffix or with it."""
    path = one.below + one.file if naming == "short" else _normal(one.path).relative_to(shared).as_posix()
    return path if naming == "full" or one.keeps_suffix else os.path.splitext(path)[0]  # noqa: PTH122
