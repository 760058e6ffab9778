"""A data set of your own: pictures, label files and a table of classes, in the arrangement in which they are."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from attseg.data.classes import IGNORE, MAX_VALUE, ClassTable, Color
from attseg.data.reading.bands import choose_bands
from attseg.data.reading.color_labels import ColorValues, read_color_labels
from attseg.data.reading.image import RawLabels, read_raw_labels
from attseg.data.sample import DataError
from attseg.data.sets.arrangement import WHOLE, Arrangement
from attseg.data.sets.class_file import CLASS_FILE
from attseg.data.sets.class_tables import ClassSource, find_classes, read_classes_from
from attseg.data.sets.division import Division, Meaning
from attseg.data.sets.file_data import FileData
from attseg.data.sets.file_set import Tree
from attseg.data.sets.layout import LayoutFiles
from attseg.data.sets.own import RECORD
from attseg.data.sets.record import DataSet
from attseg.data.sets.survey import Pair, Survey
from attseg.data.wording import few
from attseg.errors import UsageError
from attseg.errors import unknown as unknown_choice

ORIENTATIONS = ("applied", "raw")
"""Choices for the EXIF orientation of images."""

MASKS = ("index", "color")
"""Choices for what counts in label files."""

UNKNOWN = ("refuse", "ignore")
"""Choices for colours that no class has."""

ARRANGED = ("images", "labels", "lists", "roots")
DIVIDED = ("split", "fold", "group", "seed")


class FolderFiles(LayoutFiles):
    """The files of your own data: a picture and its labels have a part of their names in common.

    Without options, the folder looks like this::

        classes.csv
        images/train/paris/001.jpg      images/val/...
        labels/train/paris/001.png      labels/val/...

    Label files are gray or palette PNGs with one number a pixel, and ``classes.csv`` says what the numbers mean; see
    ``attseg.data.sets.class_file``. Where it is missing, the table of a labelling tool is read (``tool_tables.TABLES``).

    Args:
        record: Of the data set.
        root: Folder of the data set.
        range: The values of the images that are black and white, such as ``(0, 4095)`` for 12 bits in 16-bit files; None takes
            0..255 for 8 bits and 0..65535 for 16 bits, and refuses other types.
        orientation: ``applied``, as by default, turns images upright by their EXIF orientation; ``raw`` leaves them as stored,
            for labels that were drawn on raw pixels.
        images: Where the pictures are, below the root: a folder, or a path with ``{stem}``; ``{split}`` stands for the split.
            ``images/{split}`` by default; ``images`` where ``split`` or ``fold`` is given; without ``images``, the root itself.
        labels: Where the label files are, likewise; without a folder, such as ``{stem}_mask.png``, beside each picture.
        lists: Lists of the splits, such as ``{split}.txt``: in each line a picture and its label file, or the stem of both.
        roots: Folders below the root, with commas between them, that have the same arrangement each.
        classes: The file that holds the classes, below the root, where it is another one than ``classes.csv``.
        masks: ``index``, as by default, reads the values of label files; ``color`` their colours, as in ``classes.csv``.
        unknown: ``refuse``, as by default, or ``ignore`` colours that no class has.
        split: Divides the pictures: the share to train on, shares of train, val and test, or a CSV file of names and splits.
        fold: Divides the pictures into folds: ``2/5`` takes the second of five as val.
        group: Pictures of a group stay in one split: ``folder``, or a regular expression that finds the group in a name.
        seed: Of the choice among equals where pictures are divided.
        bands: Numbers of the bands of the images that are read, counted from 1, such as ``(1, 2, 3, 4)``; None reads red, green
            and blue. ``range`` may then hold a low and a high value for each band. Pixels without data are ignored.
        mean: Mean of each of these bands, on the scale 0..1 of the range.
        std: Standard deviation of each; ``attseg data check`` measures both.

    Raises:
        UsageError: An option has another value, or two contradict each other.
    """

    def __init__(
        self,
        record: DataSet,
        root: str | Path,
        *,
        range: Any = None,
        orientation: str | None = None,
        bands: Any = None,
        mean: Any = None,
        std: Any = None,
        images: Any = None,
        labels: Any = None,
        lists: Any = None,
        roots: Any = None,
        classes: str | None = None,
        masks: str | None = None,
        unknown: str | None = None,
        split: Any = None,
        fold: Any = None,
        group: Any = None,
        seed: Any = None,
    ) -> None:
        super().__init__(record, root)
        for option, value, known in (
            ("orientation", orientation, ORIENTATIONS),
            ("masks", masks, MASKS),
            ("unknown", unknown, UNKNOWN),
        ):
            if value is not None and value not in known:
                raise unknown_choice(option, value, known)
        if unknown == "ignore" and masks != "color":
            raise UsageError(
                "unknown is ignore, which has no effect where label files are not read by colour; add masks color"
            )
        self.value_range, self.bands, self.statistics = choose_bands(bands, range, mean, std)
        self.apply_orientation = orientation != "raw"
        self.states_orientation = orientation is not None
        self.by_color = masks == "color"
        self.ignores_unknown = unknown == "ignore"
        self.class_path = classes
        self.division = Division.of(self.root, {"split": split, "fold": fold, "group": group, "seed": seed})
        self._sources: dict[str, ClassSource] = {}
        self._color_values: dict[str, ColorValues] = {}
        given = {"images": images, "labels": labels, "lists": lists, "roots": roots}
        self.arrangement = None
        if self.division or any(value is not None for value in given.values()):
            self.arrangement = Arrangement.of(self.root, given, divided=self.division is not None)

    def splits(self) -> list[str]:
        """Splits with pictures."""
        if self.arrangement is None:
            return super().splits()
        found = self.arrangement.splits()
        return list(self.division.names) if self.division and found else found

    def pairs_of(self, splits: Sequence[str]) -> list[Pair]:
        """The pairs of some splits; of all pictures, where they are divided by an option. No label file is read.

        Raises:
            DataError: As of ``survey``, but for problems of single files.
        """
        if self.division is not None:
            return self.whole.pairs
        surveys = [
            self.survey(split) if self.arrangement is None else self.arrangement.survey(split) for split in splits
        ]
        return [pair for survey in surveys for pair in survey.pairs]

    def trees(self, split: str) -> list[Tree]:
        """The arrangement that was stated, or the usual one."""
        if self.arrangement is None:
            return super().trees(split)
        return [[*self.arrangement.describe(split), CLASS_FILE]]

    def next_step(self, existing: Collection[str]) -> str:
        """The check, where nothing was found and no option says how the folder is arranged."""
        if existing or self.arrangement is not None or not self.root.is_dir():
            return ""
        return (
            f"\n`attseg data check {shlex.quote(str(self.root))}` recognises other arrangements and says what to type"
        )

    def list_split(self, split: str) -> Survey:
        """Pictures and label files of a split."""
        if self.arrangement is None:
            survey = super().list_split(split)
        elif self.division is None:
            survey = self.arrangement.survey(split)
        else:
            survey = self.whole
            if not survey.no_labels:
                survey = self.division.survey(survey, self.assigned, split)
        remark = "" if survey.no_labels else self._remark(split)
        return replace(survey, remarks=[*survey.remarks, remark]) if remark else survey

    @cached_property
    def whole(self) -> Survey:
        """Survey of all pictures, where they are divided by an option."""
        assert self.arrangement is not None
        return self.arrangement.survey(WHOLE)

    @cached_property
    def assigned(self) -> dict[str, str]:
        """The split of each picture, where they are divided by an option; label files are read for it."""
        assert self.division is not None
        return self.division.divide(self.whole, self.meaning)

    def meaning(self) -> Meaning:
        """The classes of all pictures, and what colours stand for where label files are read by them."""
        return self.read_classes(WHOLE), self._colors(WHOLE)

    def read_classes(self, split: str) -> ClassTable:
        """The table in ``classes.csv``, or in the file that stands in for it."""
        table = self._source(split).table
        if self.ignores_unknown and (others := _free_value(table)) not in table.raw_to_train:
            return replace(table, raw_to_train={**table.raw_to_train, others: IGNORE})
        return table

    def label_colors(self, split: str) -> dict[int, Color]:
        """The colours that stand in the class table."""
        return self._source(split).colors

    def read_raw_labels(self, path: Path, split: str) -> RawLabels:
        """The values of a label file; by its colours, where the data set is read so."""
        colors = self._colors(split)
        return read_raw_labels(path) if colors is None else read_color_labels(path, colors)

    def _remark(self, split: str) -> str:
        try:
            return self._source(split).remark
        except DataError:
            return ""  # told where the classes are read

    def _source(self, split: str) -> ClassSource:
        """Where the classes stand: in the root, in one of several roots, or beside the pictures."""
        if split not in self._sources:
            self._sources[split] = self._find_source(split)
        return self._sources[split]

    def _find_source(self, split: str) -> ClassSource:
        if self.class_path is not None:
            return read_classes_from(self.root / str(self.class_path))
        if self.arrangement is None:
            return find_classes([self.root], by_color=self.by_color)
        roots = [path for _, path in self.arrangement.places()] if self.arrangement.roots else []
        folders = [self.root, *roots, *self.arrangement.folders(split)]
        return find_classes(folders, alike=roots, by_color=self.by_color)

    def _colors(self, split: str) -> ColorValues | None:
        """The classes of colours in label files; None where their values count."""
        if not self.by_color:
            return None
        if split not in self._color_values:
            table = self.read_classes(split)
            others = _free_value(table) if self.ignores_unknown else None
            source = self._source(split)
            if without := [row.name for row in source.rows if not row.ignored and row.color is None]:
                raise DataError(
                    f"{source.path} gives no colour to {few(without)}, and label files are read by colour (masks color): give "
                    f"each class one in {CLASS_FILE}, in the columns r, g, b"
                )
            self._color_values[split] = source.color_values(others)
        return self._color_values[split]


class Folder(FileData):
    """A split of your own data.

    Args:
        root: Folder of the data set, as in ``FolderFiles``.
        split: ``train``, ``val`` and ``test`` are usual.
        **options: As of ``FolderFiles``.

    Raises:
        UsageError: An option has another value.
        DataError: The folder does not hold the split, or a file is not as it must be; see ``FileData``.
    """

    def __init__(self, root: str | Path, split: str, /, **options: Any) -> None:
        super().__init__(FolderFiles(RECORD, root, **options), split)


def _free_value(table: ClassTable) -> int:
    """A value that is ignored, or one that the table does not know."""
    ignored = [raw for raw, train in table.raw_to_train.items() if train == IGNORE]
    return min(ignored, default=IGNORE if IGNORE not in table.raw_to_train else MAX_VALUE)
