"""The survey of a split: its images and their labels, matched by name, problems and remarks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from unicodedata import normalize

from attseg.data.reading.inputs import SUFFIXES, PictureFile
from attseg.data.reading.walk import entries, walk
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


def list_files(
    folder: Path,
    stem_of: Callable[[str], str | None] | None = None,
    *,
    without: Collection[Path] = (),
    outside: Path | None = None,
) -> tuple[dict[str, Path], list[Path]]:
    """Picture files by their stem, with ``/`` between folders, and the files whose stem was taken; a missing folder is empty.

    Stems are in the composed form of Unicode (NFC), whatever form the file system or an archive has left them in. Links
    are followed, and each folder is gone through once; what they lead to is looked at when it is read.

    Args:
        folder: Where to look, folders inside included.
        stem_of: The stem of a file by its name, None where the file does not count; by default its name without the suffix.
        without: Files that do not count.
        outside: A folder in which nothing counts.
    """
    stem_of = stem_of or _stem
    files: dict[str, Path] = {}
    doubled: list[Path] = []
    for path, names in walk(folder):
        if outside is not None and path.is_relative_to(outside):
            continue
        inside = path.relative_to(folder).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        for name in names:
            if (stem := stem_of(name)) is None or (file := path / name) in without:
                continue
            if files.setdefault(normalize("NFC", prefix + stem), file) is not file:
                doubled.append(file)
    return files, doubled


def _stem(name: str) -> str | None:
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in SUFFIXES else None


MOST_TOLD = 3
"""Problems that one message tells."""


class Problem(NamedTuple):
    """Something that is wrong with the files of a split, by their names alone.

    Args:
        message: The sentence, which names the file.
        file: The file that it is about, if it is one.
    """

    message: str
    file: Path | None = None


@dataclass(frozen=True)
class Survey:
    """Survey of a split.

    Args:
        pictures: Every picture, by name.
        pairs: Pictures with labels, by name.
        problems: What is wrong.
        advice: What to do about the problems, as the end of a sentence.
        remarks: Sentences about what is right but worth knowing: where labels come from, what is not there.
        no_labels: Why no picture has labels, as a part of a sentence; empty where the split has labels.
    """

    pictures: list[PictureFile]
    pairs: list[Pair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    advice: str = ""
    remarks: list[str] = field(default_factory=list)
    no_labels: str = ""

    def checked(self) -> list[Pair]:
        """The pairs.

        Raises:
            DataError: Something is wrong.
        """
        if self.problems:
            told = "; ".join(problem.message for problem in self.problems[:MOST_TOLD])
            more = len(self.problems) - MOST_TOLD
            raise DataError(told + (f"; and {more} more like this" if more > 0 else "") + self.advice)
        return self.pairs


def match(
    pictures: Mapping[str, Path], labels: Mapping[str, Path], expected: Callable[[str], Path], *, part: str = ""
) -> Survey:
    """Pictures and the label files of the same names.

    A picture without labels is a problem. Labels without a picture are not: somebody may have only a part of the pictures.

    Args:
        pictures: Files by name.
        labels: Label files by name.
        expected: Where the labels of a name should lie.
        part: What the label files are called, where there are others beside them.
    """
    names = sorted(pictures)
    missing = {name: expected(name) for name in names if name not in labels}
    problems = [
        Problem(f"{pictures[name]} has no labels: {path} does not exist", path) for name, path in missing.items()
    ]
    alone = sorted(labels.keys() - pictures.keys())
    remarks = []
    if alone:
        what = plural(len(alone), f"{part or 'label'} file")
        remarks.append(f"the picture of {what} is not there: {few([labels[name].name for name in alone])}")
    return Survey(
        picture_files(pictures),
        [Pair(name, pictures[name], labels[name]) for name in names if name in labels],
        problems,
        remarks=remarks,
    )


def picture_files(pictures: Mapping[str, Path]) -> list[PictureFile]:
    """Files by name as a list, sorted by name."""
    return [PictureFile(pictures[name], name) for name in sorted(pictures)]


def match_folders(
    pictures: tuple[Mapping[str, Path], Sequence[Path]],
    labels: tuple[Mapping[str, Path], Sequence[Path]],
    images: Path,
    home: Path,
    *,
    missing: str,
    advice: str,
) -> Survey:
    """Pictures and label files of equal stems, where each needs the other.

    Args:
        pictures: As from ``list_files``.
        labels: As from ``list_files``.
        images: The folder of the pictures.
        home: The folder of the label files.
        missing: What a picture without labels lacks, such as ``labels in labels/train``.
        advice: As of ``Survey``.
    """
    (photos, more), (masks, others) = pictures, labels
    sides = (photos, masks, images, "picture", missing), (masks, photos, home, "label file", f"a picture in {images}")
    problems = [
        f"no {what} was found in {folder}{_other_files(folder)}" for files, _, folder, what, _ in sides if not files
    ]
    for files, counterparts, folder, what, lacks in sides:
        if (alone := sorted(files.keys() - counterparts.keys())) and photos and masks:
            problems.append(f"{plural(len(alone), what)} in {folder} without {lacks}: {few(alone)}")
    if doubled := sorted([*more, *others]):
        problems.append(f"a file of the same stem lies beside {few([str(file) for file in doubled])}; keep one")
    return Survey(
        picture_files(photos),
        [Pair(name, photos[name], masks[name]) for name in sorted(photos.keys() & masks.keys())],
        [Problem(message) for message in problems],
        advice,
    )


def _other_files(folder: Path) -> str:
    """Contents of a folder without images."""
    others = sorted({Path(entry.name).suffix or entry.name for entry in entries(folder) if entry.is_file()})
    return f" (but files ending in {few(others)}; pictures end in {', '.join(sorted(SUFFIXES))})" if others else ""
