"""Finds the pictures that an export names: in its own folder and in those that were given, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.walk import walk
from attseg.data.sample import DataError
from attseg.data.wording import few

UPLOADED = re.compile(r"^[0-9a-f]{8}-")
"""The prefix that Label Studio adds to the name of an uploaded file."""


class Search:
    """The pictures below some folders, by their names.

    Args:
        folders: Where they are looked for, links to folders included.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = list(folders)
        files: dict[Path, tuple[str, ...]] = {}
        for root in self.folders:
            for folder, names in walk(root):
                below = folder.relative_to(root).parts
                for name in names:
                    if Path(name).suffix.lower() in SUFFIXES:
                        files.setdefault(folder / name, (*map(_plain, below), _plain(name)))
        self._index(files)

    def _index(self, files: Mapping[Path, tuple[str, ...]]) -> None:
        self.files = dict(files)
        """Pictures, with their folders below the root and their names, in composed Unicode."""
        self.found: set[Path] = set()
        """Pictures that something named, whether it could be read or not."""
        self._by_name: dict[str, list[Path]] = {}
        self._by_stem: dict[str, list[Path]] = {}
        for path, parts in files.items():
            self._by_name.setdefault(parts[-1].casefold(), []).append(path)
            self._by_stem.setdefault(_plain(path.stem).casefold(), []).append(path)

    def without(self, others: Collection[Path]) -> Search:
        """The same without some files."""
        search = Search(())
        search.folders = self.folders
        search._index({path: parts for path, parts in self.files.items() if path not in others})
        return search

    def find(self, name: str, *, near: Path | None = None, within: Path | None = None) -> Path:
        """The picture of a name. Folders in it need not be the same: the file whose path ends alike for longest is taken.

        Args:
            name: A path or an address, with or without folders and in the words of any system; ``..`` leads nowhere.
            near: Folder that is preferred among files that fit as well.
            within: Folder that the picture has to lie in.

        Raises:
            DataError: There is none, or several fit as well.
        """
        parts = name_parts(name)
        wanted = parts[-1] if parts else ""
        found = self._by_name.get(wanted.casefold(), []) or self._by_name.get(UPLOADED.sub("", wanted).casefold(), [])
        return self._choose(name, parts, found, near, within)

    def find_stem(self, name: str, *, near: Path | None = None, within: Path | None = None) -> Path:
        """The same for a name without suffix."""
        parts = name_parts(name)
        return self._choose(name, parts, self._by_stem.get(parts[-1].casefold() if parts else "", []), near, within)

    def _choose(
        self, name: str, parts: Sequence[str], found: Sequence[Path], near: Path | None, within: Path | None
    ) -> Path:
        if within is not None:
            found = [path for path in found if path.is_relative_to(within)]
        if not found:
            where = few([str(within)] if within is not None else [str(folder) for folder in self.folders])
            raise DataError(f"its picture {name!r} was not found in {where}; --images DIR says where else pictures are")
        self.found.update(found)
        if len(found) == 1:
            return found[0]
        scores = {path: self._score(path, parts, near) for path in found}
        best = [path for path in found if scores[path] == max(scores.values())]
        if len(best) > 1:
            raise DataError(
                f"its picture {name!r} may be {few([str(path) for path in best])}; the export does not say which"
            )
        return best[0]

    def _score(self, path: Path, parts: Sequence[str], near: Path | None) -> tuple[int, bool, bool]:
        """How well a path fits a name: folders that are equal from the end, whether it lies near, and equal case."""
        own = self.files[path]
        same = 0
        for mine, theirs in zip(reversed(own[:-1]), reversed(parts[:-1]), strict=False):
            if mine.casefold() != theirs.casefold():
                break
            same += 1
        return same, near is not None and path.is_relative_to(near), own[-1] == parts[-1]


def name_parts(name: str) -> list[str]:
    r"""The folders and the file in a name that a tool wrote, without what leads elsewhere: roots, drives, ``..``.

    Example:
        >>> name_parts(r"C:\photos\..\a.jpg"), name_parts("http://host/x/b%20c.png?size=1")
        (['photos', 'a.jpg'], ['x', 'b c.png'])
        >>> name_parts("/data/local-files/?d=x/y.jpg")
        ['x', 'y.jpg']
    """
    if "://" in name:
        split = urlsplit(name)
        name = unquote(split.path)
    elif "/?d=" in name:  # Label Studio's local files
        name = unquote(name.partition("/?d=")[2])
    parts = _plain(name).replace("\\", "/").split("/")
    return [part for part in parts if part not in ("", ".", "..") and not re.fullmatch("[A-Za-z]:", part)]


def _plain(name: str) -> str:
    return normalize("NFC", name)
