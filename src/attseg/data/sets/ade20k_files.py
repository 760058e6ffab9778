"""The files of ADE20K."""

from __future__ import annotations

from pathlib import Path

from attseg.data.sets.file_set import FileSet, Tree, home
from attseg.data.sets.record import DataSet
from attseg.data.sets.survey import Survey, list_files, match, picture_files

FOLDERS = {"train": ("training",), "val": ("validation",), "test": ("testing", "test")}
"""Possible folder names of a split."""

TEST = "release_test/testing"
"""Where the archive of the test pictures, which is another one, has them."""


class Ade20kFiles(FileSet):
    """The files of ADE20K.

    Args:
        record: Of the data set.
        root: Folder that holds ``ADEChallengeData2016``, or that one.
    """

    def __init__(self, record: DataSet, root: str | Path) -> None:
        super().__init__(record, root)
        self.home = home(self.root, ("ADEChallengeData2016",), holds="images")

    def splits(self) -> list[str]:
        """Splits with a folder of pictures."""
        return [split for split in FOLDERS if self._images(split).is_dir()]

    def trees(self, split: str) -> list[Tree]:
        """Where the release has the split."""
        inside, folder = "ADEChallengeData2016", FOLDERS.get(split, ("training",))[0]
        if split in self.record.withheld:
            return [(f"{inside}/images/{folder}/*.jpg",), (f"{TEST}/*.jpg",)]
        return [(f"{inside}/images/{folder}/*.jpg", f"{inside}/annotations/{folder}/*.png")]

    def list_split(self, split: str) -> Survey:
        """Pictures and annotations of equal names."""
        images = self._images(split)
        pictures = list_files(images)[0]
        if split in self.record.withheld:
            return Survey(picture_files(pictures), no_labels="they are not released")
        annotations = self.home / "annotations" / images.name
        if not annotations.is_dir():
            return Survey(picture_files(pictures), no_labels=f"{annotations} does not exist")
        return match(pictures, list_files(annotations)[0], lambda name: annotations / f"{name}.png")

    def _images(self, split: str) -> Path:
        places = [self.home / "images" / folder for folder in FOLDERS[split]]
        if split == "test":
            places += [self.root / TEST, self.home.parent / TEST]
        return next((place for place in places if place.is_dir()), places[0])
