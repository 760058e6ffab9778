"""The files of Cityscapes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple, get_args

from attseg.data.classes import ClassTable
from attseg.data.sets.cityscapes import LABEL_IDS, TRAIN_IDS
from attseg.data.sets.file_set import FileSet, Tree
from attseg.data.sets.record import DataSet
from attseg.data.sets.survey import Problem, Survey, list_files, match, picture_files
from attseg.errors import unknown

LabelKind = Literal["auto", "labelIds", "trainIds"]

IMAGES, FINE, COARSE = "leftImg8bit", "gtFine", "gtCoarse"

PLACES = {
    "train": ("train", FINE),
    "val": ("val", FINE),
    "test": ("test", FINE),
    "train_extra": ("train_extra", COARSE),
    "train_coarse": ("train", COARSE),
    "val_coarse": ("val", COARSE),
}
"""The folder of each split, and in which folder its labels are."""


class _Labels(NamedTuple):
    """The label files of a split: what the values are, how the file names end, and the files by name."""

    table: ClassTable
    suffix: str
    files: dict[str, Path]


class CityscapesFiles(FileSet):
    """The files of Cityscapes.

    Args:
        record: Of the data set.
        root: Folder that holds ``leftImg8bit`` and ``gtFine``, and ``gtCoarse`` where there is one.
        labels: ``labelIds``: the files of the release, whose values the official table maps to the 19 classes. ``trainIds``:
            the files ``labelTrainIds``, which hold the classes and are made by a script of cityscapesScripts. ``auto``: the
            first of the two that every picture of the split has.

    Raises:
        UsageError: ``labels`` is none of these.
    """

    def __init__(self, record: DataSet, root: str | Path, *, labels: LabelKind = "auto") -> None:
        super().__init__(record, root)
        if labels not in get_args(LabelKind):
            raise unknown("kind of Cityscapes labels", str(labels), get_args(LabelKind))
        self.labels = labels
        self._found: dict[str, _Labels] = {}

    def splits(self) -> list[str]:
        """Splits with a folder of pictures, and for the coarse ones of labels too."""
        found = []
        for split, (folder, kind) in PLACES.items():
            shared = kind == COARSE and split != "train_extra"
            if (self.root / IMAGES / folder).is_dir() and (not shared or (self.root / kind / folder).is_dir()):
                found.append(split)
        return found

    def read_classes(self, split: str) -> ClassTable:
        """The 19 classes, and what the values of the label files that are used mean."""
        return self._find_labels(split).table

    def trees(self, split: str) -> list[Tree]:
        """Where the release has the split."""
        folder, kind = PLACES.get(split, PLACES["train"])
        pictures = f"{IMAGES}/{folder}/CITY/*_{IMAGES}.png"
        return [
            (pictures,) if split in self.record.withheld else (pictures, f"{kind}/{folder}/CITY/*_{kind}_labelIds.png")
        ]

    def list_split(self, split: str) -> Survey:
        """Pictures and the label files of the same city and frame."""
        folder, kind = PLACES[split]
        images, labels = self.root / IMAGES / folder, self.root / kind / folder
        files = list_files(images)[0]
        pictures = _ending(files, f"_{IMAGES}")
        strange: list[Problem] = []
        if files and not pictures:
            strange.append(Problem(f"none of the {len(files)} pictures in {images} is called *_{IMAGES}.png", images))
        if split in self.record.withheld:
            dummies = [f"the label files in {labels} are dummies and are not read"] if labels.is_dir() else []
            return Survey(picture_files(pictures), [], strange, remarks=dummies, no_labels="they are not released")
        if not labels.is_dir():
            return Survey(picture_files(pictures), [], strange, no_labels=f"{labels} does not exist")
        used = self._find_labels(split)
        survey = match(pictures, used.files, lambda name: labels / f"{name}{used.suffix}.png", part=used.suffix[1:])
        survey.problems.extend(strange)
        how = "are mapped by the official table" if used.table is LABEL_IDS else "are the classes themselves"
        survey.remarks.append(f"labels of {split} are read from *{used.suffix}.png, whose values {how}")
        return survey

    def _find_labels(self, split: str) -> _Labels:
        """The same, listed once; a cache of functools could not be sent to worker processes."""
        if split not in self._found:
            self._found[split] = self._list_labels(split)
        return self._found[split]

    def _list_labels(self, split: str) -> _Labels:
        """The label files that are used: those of the kind asked for, or else of the first kind that all pictures have."""
        folder, kind = PLACES[split]
        files = list_files(self.root / kind / folder)[0]
        kinds = [
            _Labels(table, f"_{kind}_{ending}", _ending(files, f"_{kind}_{ending}"))
            for table, ending in ((LABEL_IDS, "labelIds"), (TRAIN_IDS, "labelTrainIds"))
        ]
        if self.labels != "auto":
            return kinds[0 if self.labels == "labelIds" else 1]
        pictures = _ending(list_files(self.root / IMAGES / folder)[0], f"_{IMAGES}").keys()
        return max(kinds, key=lambda labels: len(labels.files.keys() & pictures))  # the first, where equally many


def _ending(files: dict[str, Path], suffix: str) -> dict[str, Path]:
    """The files whose names end so, by the rest of their names."""
    return {name.removesuffix(suffix): path for name, path in files.items() if name.endswith(suffix)}
