"""A split of a data set of files: pairs of a picture and its labels, read when they are asked for."""

from __future__ import annotations

from attseg.data.classes import explain_too_few
from attseg.data.reading.image import read_image, read_labels
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
        survey = files.survey(split)
        if survey.no_labels:
            raise DataError(
                f"the split {split!r} of {files.root} has pictures but no labels: {survey.no_labels}. Training and evaluation "
                f"need labels; to predict, name the data: attseg predict RUN --data.name {files.name} --data.root {files.root} "
                f"--split {split} --out DIR"
            )
        self.root = files.root
        self.split = split
        self.classes = files.read_classes(split)
        if problem := explain_too_few(self.classes):
            raise DataError(f"{files.root}: {problem}")
        self.pairs = survey.checked()
        self.remarks = survey.remarks
        self._files = files
        if not self.pairs:
            files.pictures(split)  # says why there is none

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        name, image_file, labels_file = self.pairs[index]
        image = read_image(
            image_file, value_range=self._files.value_range, apply_orientation=self._files.apply_orientation
        )
        labels = read_labels(labels_file, self.classes, official=self._files.official)
        if problem := explain_sizes(image, labels):
            raise DataError(f"{labels_file}: {problem}")
        return Sample(image, labels, name)

    def name(self, index: int) -> str:
        """The name of a sample without reading it."""
        return self.pairs[index].name


def explain_sizes(image: Array, labels: Array) -> str | None:
    """Say how the sizes of a picture (H, W, 3) and its labels (H, W) differ; None where they are equal."""
    (height, width), (rows, columns) = image.shape[:2], labels.shape
    if (height, width) == (rows, columns):
        return None
    hint = (
        "they lie on their side: turn them as the picture is (its EXIF orientation is applied when it is read)"
        if (height, width) == (columns, rows)
        else "resize them with nearest, or find the labels that belong to the picture"
    )
    return f"the labels are {columns} pixels wide and {rows} high, and their picture {width} wide and {height} high; {hint}"
