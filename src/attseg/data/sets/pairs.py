"""Which picture belongs to which label file: the one of the same name below its folder, but for the suffix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.walk import walk
from attseg.data.sample import DataError
from attseg.data.wording import few, plural


class Pair(NamedTuple):
    """A picture and its labels.

    Args:
        name: Path below the folder of the split, without suffix, with ``/`` between folders.
        image: File of the picture.
        labels: File of the labels.
    """

    name: str
    image: Path
    labels: Path


@dataclass(frozen=True)
class Pairing:
    """Two folders matched by file name.

    Args:
        images: Folder of the pictures.
        labels: Folder of the label files.
        pictures: Files of all pictures by name.
        pairs: Pictures with labels, sorted by name.
        only_images: Names of pictures without labels.
        only_labels: Names of label files without a picture.
        doubled: Files that share their name with another one in the same folder (``a.png`` beside ``a.jpg``).
    """

    images: Path
    labels: Path
    pictures: dict[str, Path]
    pairs: list[Pair]
    only_images: list[str]
    only_labels: list[str]
    doubled: list[Path]

    def problems(self) -> Iterator[str]:
        """A sentence for everything that is wrong."""
        sides = (
            (self.images, self.only_images, "picture", f"labels in {self.labels}"),
            (self.labels, self.only_labels, "label file", f"a picture in {self.images}"),
        )
        empty = [not self.pairs and not alone for _, alone, _, _ in sides]
        for (folder, alone, what, counterpart), nothing in zip(sides, empty, strict=True):
            if nothing:
                yield f"{folder} is empty: no {what} was found there{_other_files(folder)}"
            elif alone and not any(empty):
                yield f"{plural(len(alone), what)} in {folder} without {counterpart}: {few(alone)}"
        if self.doubled:
            files = few([str(file) for file in self.doubled])
            yield f"a file with the same name but for the suffix lies beside {files}; keep one of them"

    def checked(self) -> list[Pair]:
        """The pairs.

        Raises:
            DataError: A folder is empty, or something has no counterpart.
        """
        problems = list(self.problems())
        if problems:
            raise DataError(
                "; ".join(problems)
                + ". A picture and its labels have the same name but for the suffix: rename, add or remove files"
            )
        return self.pairs


def pair_up(images: Path, labels: Path) -> Pairing:
    """Match the pictures and label files of two folders, their subfolders included."""
    (pictures, doubled_pictures), (masks, doubled_masks) = list_files(images), list_files(labels)
    return Pairing(
        images,
        labels,
        pictures,
        [Pair(name, pictures[name], masks[name]) for name in sorted(pictures.keys() & masks.keys())],
        sorted(pictures.keys() - masks.keys()),
        sorted(masks.keys() - pictures.keys()),
        sorted(doubled_pictures + doubled_masks),
    )


def list_files(folder: Path) -> tuple[dict[str, Path], list[Path]]:
    """Picture files by name, those in subfolders included, and the files whose name was taken; a missing folder is empty.

    Names are in the composed form of Unicode (NFC), whatever form the file system or an archive has left them in. Links
    are followed, and each folder is gone through once; what they lead to is looked at when it is read.
    """
    files: dict[str, Path] = {}
    doubled: list[Path] = []
    for path, entries in walk(folder):
        below = path.relative_to(folder).as_posix()
        prefix = "" if below == "." else below + "/"
        for entry in entries:
            file = path / entry
            if file.suffix.lower() not in SUFFIXES:
                continue
            if files.setdefault(normalize("NFC", prefix + file.stem), file) is not file:
                doubled.append(file)
    return files, doubled


def _other_files(folder: Path) -> str:
    """Contents of a folder without images."""
    others = sorted({Path(entry.name).suffix or entry.name for entry in os.scandir(folder) if entry.is_file()})
    return f" (but files ending in {few(others)}; pictures end in {', '.join(sorted(SUFFIXES))})" if others else ""
