"""What data sets of picture and label files share: their samples are pairs of files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from attseg.data.classes import ClassTable
from attseg.data.reading.image import read_image, read_labels
from attseg.data.sample import Array, DataError, Sample
from attseg.data.sets.layout import Layout, find_split
from attseg.data.sets.pairs import pair_up


class FileData(ABC):
    """A split whose pictures and label files lie in two folders; reads a pair when it is asked for.

    Subclasses say where the folders may lie and what the classes are.

    Args:
        root: Folder of the data set.
        split: ``train``, ``val``, ``test``, or any other split that the folder holds.

    Raises:
        DataError: The folder, the split or its labels do not exist, or pictures and labels do not pair up. Taking a sample
            raises it where a file cannot be read, or where a picture and its labels differ in size.
    """

    title: ClassVar[str]
    layouts: ClassVar[tuple[Layout, ...]]

    def __init__(self, root: str | Path, split: str) -> None:
        self.root = Path(root)
        self.split = split
        images, labels = find_split(self.root, split, self.layouts, title=self.title)
        self.classes = self.read_classes(self.root)
        self.pairs = pair_up(images, labels).checked()

    @classmethod
    @abstractmethod
    def read_classes(cls, root: Path) -> ClassTable:
        """The classes of the data set in ``root``."""

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        name, image_file, labels_file = self.pairs[index]
        image, labels = read_image(image_file), read_labels(labels_file, self.classes)
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
