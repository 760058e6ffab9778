"""The files of PASCAL VOC 2012, and how SBD adds to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from attseg.data.sets.file_set import FileSet, Tree, home
from attseg.data.sets.lists import NameList, read_list, survey_list
from attseg.data.sets.record import DataSet
from attseg.data.sets.sbd_files import SBD_PLACES, list_label_files, open_sbd
from attseg.data.sets.survey import Survey, list_files
from attseg.data.sets.voc import AUGMENTED

AUGMENTED_LISTS = ("train_aug.txt", "trainaug.txt")
LISTS = "ImageSets/Segmentation"
PICTURES, LABELS, MORE_LABELS = "JPEGImages", "SegmentationClass", "SegmentationClassAug"


class VocFiles(FileSet):
    """The files of PASCAL VOC 2012, and what SBD adds to them.

    ``train_aug`` is VOC's train and all of SBD but VOC's val. Its names come from a list (``train_aug.txt`` or ``trainaug.txt``
    beside VOC's own), or else from SBD's lists and from ``SegmentationClassAug``. Labels of VOC go before those of SBD, for they
    are finer and leave a ring around objects out; SBD's are taken from ``SegmentationClassAug`` (PNG) before the MATLAB files.

    Args:
        record: Of the data set.
        root: Folder that holds ``VOCdevkit/VOC2012``, or one of these.
        sbd: Folder that holds SBD's ``benchmark_RELEASE/dataset``, or one of these; where none is given, it is looked for in
            and beside ``root``.

    Raises:
        DataError: ``sbd`` is not the folder of SBD.
    """

    def __init__(self, record: DataSet, root: str | Path, *, sbd: str | Path | None = None) -> None:
        super().__init__(record, root)
        self.home = home(self.root, ("VOCdevkit/VOC2012", "VOC2012"), holds=PICTURES)
        around = self.root, self.root.parent, *self.home.parents[:2]
        self.sbd = _find_sbd(around) if sbd is None else open_sbd(Path(sbd))

    def splits(self) -> list[str]:
        """Splits with a list, and ``train_aug`` where it can be put together."""
        found = {split for split in self.record.released if self._list_file(split).exists()}
        if {"train", "val"} <= found and (self.sbd or (self.home / MORE_LABELS).is_dir()):
            found.add(AUGMENTED)
        return [split for split in self.record.released if split in found]

    def trees(self, split: str) -> list[Tree]:
        """Where the release has the split."""
        inside = "VOCdevkit/VOC2012"
        listed = f"{inside}/{LISTS}/{split}.txt"
        if split in self.record.withheld:
            return [(listed, f"{inside}/{PICTURES}/*.jpg")]
        labels = f"{inside}/{LABELS}/*.png"
        if split != AUGMENTED:
            return [(listed, f"{inside}/{PICTURES}/*.jpg", labels)]
        return [(listed, f"{inside}/{MORE_LABELS}/*.png"), ("benchmark_RELEASE/dataset/cls/*.mat",)]

    def list_split(self, split: str) -> Survey:
        """The pictures that the list of the split names."""
        listed = self._list(split)
        sources = self._label_sources(split)
        labels = {name: path for _, files in reversed(sources) for name, path in files.items()}
        no_labels = "they are not released" if split in self.record.withheld else ""
        if split == AUGMENTED and len(sources) == 1:
            no_labels = (
                f"neither {self.home / MORE_LABELS} nor SBD is there (say where SBD lies: --data.options.sbd DIR)"
            )
        expected = self.home / (MORE_LABELS if split == AUGMENTED else LABELS)
        survey = survey_list(
            listed,
            self._pictures(split),
            labels,
            whole=self.record.released[split],
            expected=lambda name: (self.home / PICTURES / f"{name}.jpg", expected / f"{name}.png"),
            no_labels=no_labels,
        )
        if split == AUGMENTED and not no_labels:
            survey.remarks.append(f"{split} is listed by {listed.source}; {_count(survey, sources)}")
        return survey

    def _list_file(self, split: str) -> Path:
        names = AUGMENTED_LISTS if split == AUGMENTED else (f"{split}.txt",)
        files = [self.home / LISTS / name for name in names]
        return next((file for file in files if file.exists()), files[0])

    def _list(self, split: str) -> NameList:
        file = self._list_file(split)
        return read_list(file) if split != AUGMENTED or file.exists() else self._put_together()

    def _put_together(self) -> NameList:
        """VOC's train and what SBD has, without VOC's val."""
        train, val = (read_list(self._list_file(split)) for split in ("train", "val"))
        names, sources = set(train.names), [train.source]
        if self.sbd:
            lists = [read_list(file) for file in (self.sbd / "train.txt", self.sbd / "val.txt") if file.exists()]
            names.update(name for listed in lists for name in listed.names)
            sources += [listed.source for listed in lists]
        if (more := self.home / MORE_LABELS).is_dir():
            names.update(list_files(more)[0])
            sources.append(f"{more}/*.png")
        return NameList(sorted(names - set(val.names)), f"{' + '.join(sources)} - {val.source}")

    def _pictures(self, split: str) -> dict[str, Path]:
        """VOC's pictures; for ``train_aug`` SBD's copies of them too, where VOC's are not there."""
        pictures = list_files(self.home / PICTURES)[0]
        return list_files(self.sbd / "img")[0] | pictures if self.sbd and split == AUGMENTED else pictures

    def _label_sources(self, split: str) -> list[tuple[str, dict[str, Path]]]:
        """Label files by name in each folder that has some, the first one to be taken first."""
        sources = [(LABELS, list_files(self.home / LABELS)[0])]
        if split == AUGMENTED:
            if (self.home / MORE_LABELS).is_dir():
                sources.append((MORE_LABELS, list_files(self.home / MORE_LABELS)[0]))
            if self.sbd:
                sources.append((str(self.sbd / "cls"), list_label_files(self.sbd / "cls")))
        return sources


def _find_sbd(around: Iterable[Path]) -> Path | None:
    """The folder of SBD in or beside some folders, if there is one."""
    places = (*SBD_PLACES, *(f"sbd/{place}" for place in SBD_PLACES))
    return next((folder / place for folder in around for place in places if (folder / place / "cls").is_dir()), None)


def _count(survey: Survey, sources: list[tuple[str, dict[str, Path]]]) -> str:
    """How many labels come from where."""
    origin = {path: source for source, files in sources for path in files.values()}
    counts = Counter(origin[pair.labels] for pair in survey.pairs)
    parts = [f"{counts[source]:,} from {source}" for source, _ in sources]
    return f"its labels are {', '.join(parts)}"
