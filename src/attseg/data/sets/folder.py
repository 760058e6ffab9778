"""A data set of your own: two folders and a table of classes, no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attseg.data.classes import ClassTable, Color
from attseg.data.reading.value_range import check_range
from attseg.data.sets.class_file import CLASS_FILE, read_class_file, read_label_colors
from attseg.data.sets.files import FileData
from attseg.data.sets.layout import LayoutFiles
from attseg.data.sets.own import RECORD
from attseg.data.sets.record import DataSet
from attseg.errors import unknown

ORIENTATIONS = ("applied", "raw")
"""Choices for the EXIF orientation of images."""


class FolderFiles(LayoutFiles):
    """The files of your own data: a picture and its labels have the same name but for the suffix.

    The folder looks like this::

        classes.csv
        images/train/paris/001.jpg      images/val/...
        labels/train/paris/001.png      labels/val/...

    Label files are gray or palette PNGs with one number a pixel, and ``classes.csv`` says what the numbers mean; see
    ``attseg.data.sets.class_file``.

    Args:
        record: Of the data set.
        root: Folder of the data set.
        range: The values of the images that are black and white, such as ``(0, 4095)`` for 12 bits in 16-bit files; None takes
            0..255 for 8 bits and 0..65535 for 16 bits, and refuses other types.
        orientation: ``applied``, as by default, turns images upright by their EXIF orientation; ``raw`` leaves them as stored,
            for labels that were drawn on raw pixels.

    Raises:
        UsageError: An option has another value.
    """

    def __init__(self, record: DataSet, root: str | Path, *, range: Any = None, orientation: str | None = None) -> None:
        super().__init__(record, root)
        if orientation is not None and orientation not in ORIENTATIONS:
            raise unknown("orientation", orientation, ORIENTATIONS)
        self.value_range = None if range is None else check_range(range)
        self.apply_orientation = orientation != "raw"
        self.states_orientation = orientation is not None

    def read_classes(self, split: str) -> ClassTable:
        """The table in ``classes.csv``."""
        return read_class_file(self.root / CLASS_FILE)

    def label_colors(self, split: str) -> dict[int, Color]:
        """The colours that stand in ``classes.csv``."""
        return read_label_colors(self.root / CLASS_FILE)


class Folder(FileData):
    """A split of your own data.

    Args:
        root: Folder of the data set, as in ``FolderFiles``.
        split: A folder in ``images`` and ``labels``; ``train``, ``val`` and ``test`` are usual.
        range: As of ``FolderFiles``.
        orientation: As of ``FolderFiles``.

    Raises:
        UsageError: An option has another value.
        DataError: The folder does not hold the split, or a file is not as it must be; see ``FileData``.
    """

    def __init__(self, root: str | Path, split: str, *, range: Any = None, orientation: str | None = None) -> None:
        super().__init__(FolderFiles(RECORD, root, range=range, orientation=orientation), split)
