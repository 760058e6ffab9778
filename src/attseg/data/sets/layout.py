"""Data sets with one folder of pictures and one of label files a split, in which equal names belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attseg.data.reading.walk import entries
from attseg.data.sets.file_set import FileSet, Tree
from attseg.data.sets.record import DataSet
from attseg.data.sets.survey import Survey, list_files, match_folders, picture_files

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Layout:
    """One way to arrange splits.

    Args:
        images: Folder of the pictures of a split, below the root; ``{}`` stands for the split.
        labels: Folder of its label files.
        files: Further files in the root that belong to it.

    Example:
        >>> Layout("images/{}", "labels/{}").folders(Path("data"), "val")[1].as_posix()
        'data/labels/val'
    """

    images: str
    labels: str
    files: tuple[str, ...] = ()

    def folders(self, root: Path, split: str) -> tuple[Path, Path]:
        """The folders of a split's pictures and label files, whether they exist or not."""
        return root / self.images.format(split), root / self.labels.format(split)

    def splits(self, root: Path) -> list[str]:
        """Splits that exist: the usual ones first, then others that have labels."""
        parent = (root / self.images).parent
        found = sorted(entry.name for entry in entries(parent) if entry.is_dir())
        usual = [split for split in SPLITS if split in found]
        return usual + [split for split in found if split not in SPLITS and self.folders(root, split)[1].is_dir()]

    def tree(self, split: str) -> Tree:
        """The folders of a split and further files, line by line."""
        return [f"{self.images.format(split)}/*.jpg", f"{self.labels.format(split)}/*.png", *self.files]


def existing_splits(root: Path, layouts: Sequence[Layout]) -> dict[str, Layout]:
    """The splits below ``root``, each with the layout in which it was found.

    A layout in which a split has labels wins, and then an earlier one. Where nothing has labels, the folder is another one.
    """
    found: dict[str, Layout] = {}
    for labelled in (False, True):
        for layout in reversed(layouts):
            for split in layout.splits(root):
                if not labelled or layout.folders(root, split)[1].is_dir():
                    found[split] = layout
    return found if any(layout.folders(root, split)[1].is_dir() for split, layout in found.items()) else {}


class LayoutFiles(FileSet):
    """The files of a data set that has one of several layouts of its record."""

    def __init__(self, record: DataSet, root: str | Path) -> None:
        super().__init__(record, root)
        self.layouts = [Layout(images, labels, tuple(files)) for images, labels, *files in record.layouts]
        below = [self.root / place for place in record.places]
        self.home = next((place for place in below if existing_splits(place, self.layouts)), self.root)

    def splits(self) -> list[str]:
        """Splits with a folder of pictures."""
        return list(existing_splits(self.home, self.layouts))

    def trees(self, split: str) -> list[Tree]:
        """A tree a layout."""
        return [layout.tree(split) for layout in self.layouts]

    def list_split(self, split: str) -> Survey:
        """Pictures and label files of equal names."""
        images, labels = existing_splits(self.home, self.layouts)[split].folders(self.home, split)
        if not labels.is_dir():
            return Survey(picture_files(list_files(images)[0]), no_labels=f"{labels} does not exist")
        advice = ". A picture and its labels have the same name but for the suffix: rename, add or remove files"
        missing = f"labels in {labels}"
        return match_folders(list_files(images), list_files(labels), images, labels, missing=missing, advice=advice)
