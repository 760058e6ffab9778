"""A data set that lies in a folder: which splits it has, and which files belong to each."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attseg.data.classes import ClassTable, Color
from attseg.data.reading.bands import Bands
from attseg.data.reading.image import RawLabels, read_raw, read_raw_labels
from attseg.data.reading.inputs import PictureFile
from attseg.data.reading.opening import telling
from attseg.data.reading.raw import RawImage
from attseg.data.reading.value_range import ValueRange
from attseg.data.reading.walk import entries
from attseg.data.sample import Array, DataError
from attseg.data.sets.record import DataSet
from attseg.data.sets.survey import Survey
from attseg.data.wording import plural

Tree = Sequence[str]
"""Patterns of files below the root of a data set."""


def compare_trees(root: Path, trees: Sequence[Tree]) -> str:
    """The expected layouts of a data set beside the contents of the folder."""
    expected = [["expected" if not index else "or", *tree] for index, tree in enumerate(trees)]
    columns = [*expected, ["found", *_listing(root)]]
    widths = [max(map(len, column)) for column in columns]
    rows = zip_longest(*columns, fillvalue="")
    return "\n".join(
        "  " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _listing(folder: Path, most: int = 8) -> list[str]:
    """Names in a folder, folders first and with what they hold."""
    found = sorted(entries(folder), key=lambda entry: (not entry.is_dir(), entry.name))
    lines = [f"{entry.name}/ {_contents(entry)}" if entry.is_dir() else entry.name for entry in found[:most]]
    if len(found) > most:
        lines.append(f"and {len(found) - most} more")
    return lines or ["(nothing)"]


def _contents(folder: os.DirEntry[str]) -> str:
    inside = [entry.is_dir() for entry in entries(Path(folder.path))]
    return f"({plural(sum(inside), 'folder')}, {plural(len(inside) - sum(inside), 'file')})"


class FileSet(ABC):
    """The files of a data set, found by one listing of its folders; none is opened but lists and class files.

    Args:
        record: Of the data set.
        root: Folder of the data set.

    Attributes:
        value_range: The values of its images that are black and white, if it states them.
        bands: The bands of its images that are read, with their fill; None reads red, green and blue.
        statistics: Mean and standard deviation of each band, on the scale 0..1, if it states them.
        apply_orientation: Whether images are turned upright by EXIF, as their labels are.
        states_orientation: Whether an option said so.
    """

    value_range: ValueRange | None = None
    bands: Bands | None = None
    statistics: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    apply_orientation: bool = True
    states_orientation: bool = False

    def __init__(self, record: DataSet, root: str | Path) -> None:
        self.record = record
        self.root = Path(root)

    @abstractmethod
    def splits(self) -> list[str]:
        """Splits of which something is there, the usual ones first."""

    def read_classes(self, split: str) -> ClassTable:
        """The classes, and what the values in the label files of a split mean: those of the record, or what a file says.

        Raises:
            DataError: They stand in a file, and it is not as it must be.
        """
        assert self.record.classes is not None
        return self.record.classes

    def label_colors(self, split: str) -> dict[int, Color]:
        """The colour of each value in the label files of a split, where the data set says it."""
        table = self.read_classes(split)
        return {raw: table.colors[index] for raw, index in enumerate(table.lookup.tolist()) if 0 <= index < len(table)}

    @property
    def has_options(self) -> bool:
        """Whether the value range and the orientation of its images can be stated."""
        return "range" in self.record.options

    def read_raw_image(self, path: Path) -> RawImage:
        """An image as its file holds it: the bands that are read, upright where that is wanted.

        Raises:
            DataError: As of ``attseg.data.reading.image.read_raw``.
        """
        numbers = None if self.bands is None else self.bands.numbers
        return read_raw(path, bands=numbers, apply_orientation=self.apply_orientation)

    def read_image(self, path: Path) -> tuple[Array, npt.NDArray[np.bool_] | None]:
        """An image (H, W, C) in bytes, and which of its pixels (H, W) hold no data; None where all do.

        Raises:
            DataError: As of ``attseg.data.reading.image.read_image``.
        """
        raw = self.read_raw_image(path)
        with telling(path):
            if self.bands is None:
                return raw.to_rgb(self.value_range), None
            return raw.to_bands(self.value_range, self.bands.fill)

    def read_raw_labels(self, path: Path, split: str) -> RawLabels:
        """The values of a label file of a split.

        Raises:
            DataError: As of ``attseg.data.reading.image.read_raw_labels``.
        """
        return read_raw_labels(path)

    @abstractmethod
    def trees(self, split: str) -> list[Tree]:
        """The ways in which a split may lie below the root, for people to compare with what they have."""

    @abstractmethod
    def list_split(self, split: str) -> Survey:
        """Survey of a split that exists at least in part.

        Raises:
            DataError: A list of its pictures is not as it must be.
        """

    def survey(self, split: str) -> Survey:
        """Survey of a split, without opening an image.

        Raises:
            DataError: There is no such folder or split, or a list of its pictures is not as it must be.
        """
        existing = self.splits() if self.root.is_dir() else []
        if split not in existing:
            raise DataError(self.explain_missing(split, existing) + self.next_step(existing))
        return self.list_split(split)

    def pictures(self, split: str) -> list[PictureFile]:
        """The pictures of a split, whether it has labels or not.

        Raises:
            DataError: There is no such split, or nothing of it.
        """
        survey = self.survey(split)
        if not survey.pictures:
            told = [problem.message for problem in survey.problems] or survey.remarks
            raise DataError(f"the split {split!r} of {self.root} has no picture{f': {told[0]}' if told else ''}")
        return [
            replace(picture, value_range=self.value_range, bands=self.bands, apply_orientation=self.apply_orientation)
            for picture in survey.pictures
        ]

    def next_step(self, existing: Collection[str]) -> str:
        """A line to add to that sentence: the command that finds out how the folder is arranged, if there is one."""
        return ""

    def explain_missing(self, split: str, existing: Iterable[str]) -> str:
        """A sentence about a split that is not there."""
        existing = list(existing)
        if not self.root.is_dir():
            return f"there is no folder {self.root}; give the one in which {self.record.title} lies (--data.root DIR)"
        if not existing:
            usual = split if split in self.record.released else next(iter(self.record.released), split)
            return f"{self.root} does not look like {self.record.title}:\n{compare_trees(self.root, self.trees(usual))}"
        listed = f"It has: {', '.join(existing)}"
        near = get_close_matches(split, existing, n=1, cutoff=0.7)
        if near and split not in self.record.released:
            return f"{self.root} has no split {split!r}; did you mean {near[0]!r}? {listed}"
        if split not in self.record.released and self.record.released:
            return f"{self.root} has no split {split!r}, nor has {self.record.title}. {listed}"
        wanted = " or ".join(", ".join(tree) for tree in self.trees(split))
        return f"{self.root} has no split {split!r}: {wanted} would be needed. {listed}"


def home(root: Path, places: Iterable[str], *, holds: str) -> Path:
    """The first of some folders below ``root`` that holds something; ``root`` itself where none does.

    Example:
        >>> home(Path("data"), ("VOCdevkit/VOC2012", "VOC2012"), holds="JPEGImages").as_posix()
        'data'
    """
    return next((root / place for place in (*places, ".") if (root / place / holds).exists()), root)
