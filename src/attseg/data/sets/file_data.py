"""A split of a data set of files: pairs of a picture and its labels, read when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attseg.data.classes import IGNORE, explain_too_few
from attseg.data.reading.image import decode_labels, read_raw
from attseg.data.sample import Array, DataError, Sample
from attseg.data.sets.file_set import FileSet


class FileData:
    """A split of a data set that lies in a folder.

    Args:
        files: The data set.
        split: ``train``, ``val``, ``test``, or any other split that it has.

    Raises:
        DataError: The folder, the split or its labels do not exist, or pictures and labels do not pair up. Taking a sample
            raises it where a file cannot be read, or where a picture and its labels differ in size.
    """

    def __init__(self, files: FileSet, split: str) -> None:
        survey, name = files.survey(split), files.record.name
        if survey.no_labels:
            raise DataError(
                f"the split {split!r} of {files.root} has pictures but no labels: {survey.no_labels}. Training and evaluation "
                f"need labels; to predict, name the data: attseg predict RUN --data.name {name} --data.root {files.root} "
                f"--split {split} --out DIR"
            )
        self.root = files.root
        self.split = split
        self.classes = files.read_classes(split)
        if problem := explain_too_few(self.classes):
            raise DataError(f"{files.root}: {problem}")
        self.pairs = survey.checked()
        self.remarks = survey.remarks
        self.files = files
        if not self.pairs:
            files.pictures(split)  # says why there is none

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.files.record.name}, {self.split}, {len(self)} samples, {len(self.classes)} classes)"

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def channels(self) -> int:
        """Channels of the images: red, green and blue, or the chosen bands."""
        return 3 if self.files.bands is None else len(self.files.bands)

    def __getitem__(self, index: int) -> Sample:
        name, image_file, labels_file = self.pairs[index]
        image, without = self.files.read_image(image_file)
        raw = self.files.read_raw_labels(labels_file, self.split)
        labels = decode_labels(labels_file, raw, self.classes, official=self.files.record.official)
        if problem := self._explain_sizes(image_file, image, labels):
            raise DataError(f"{labels_file}: {problem}")
        if without is not None:
            labels = np.where(without, np.uint8(IGNORE), labels)
        return Sample(image, labels, name)

    def _explain_sizes(self, file: Path, image: Array, labels: Array) -> str | None:
        if image.shape[:2] == labels.shape:
            return None
        applied = self.files.apply_orientation
        return explain_sizes(image.shape, labels.shape, orientation=read_raw(file).orientation, applied=applied)

    def name(self, index: int) -> str:
        """The name of a sample without reading it."""
        return self.pairs[index].name


def explain_sizes(
    image: Sequence[int], labels: Sequence[int], *, orientation: int = 1, applied: bool = True
) -> str | None:
    """Say how the shapes of an image and its labels differ; None where height and width are equal.

    Args:
        image: Shape of the image as it is read.
        labels: Shape of its labels.
        orientation: Of EXIF, as stored.
        applied: Whether it was applied.
    """
    (height, width), (rows, columns) = image[:2], labels[:2]
    if (height, width) == (rows, columns):
        return None
    swapped = (height, width) == (columns, rows)
    if swapped and orientation >= 5:
        way, option = ("stored", "raw") if applied else ("turned upright", "applied")
        hint = (
            f"they fit the image as {way} (its EXIF orientation is {orientation}): --data.options.orientation {option}"
        )
    elif swapped:
        hint = "they lie on their side: turn them as the image is"
    else:
        hint = "resize them with nearest, or find the labels that belong to the image"
    return (
        f"the labels are {columns} pixels wide and {rows} high, and their image {width} wide and {height} high; {hint}"
    )
