"""Several splits of a data set of files as one: ``train+val``."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import accumulate

import numpy as np

from attseg.data.sample import DataError, Sample
from attseg.data.sets.file_data import FileData
from attseg.data.sets.file_set import FileSet
from attseg.data.wording import few

JOIN = "+"
"""Stands between the splits of a union."""


def is_union(files: FileSet, split: str) -> bool:
    """Whether a name means several splits; a split that is called so goes first."""
    return JOIN in split and not (files.root.is_dir() and split in files.splits())


class FileUnion(FileData):
    """Splits of one data set behind each other, in the order in which they are named.

    Args:
        files: The data set.
        split: Names of splits with ``+`` between them.

    Raises:
        DataError: As of ``FileData``; label files of the splits hold other values or classes, or splits share pictures.
    """

    def __init__(self, files: FileSet, split: str) -> None:
        self.parts = [FileData(files, name) for name in split.split(JOIN)]
        first = self.parts[0]
        for part in self.parts[1:]:
            if part.classes != first.classes or not np.array_equal(part.classes.lookup, first.classes.lookup):
                raise DataError(
                    f"label files of {first.split} and {part.split} in {files.root} mean classes by other values; splits are "
                    "joined where they have one table"
                )
        self.root, self.split, self.files, self.classes = first.root, split, files, first.classes
        self.pairs = [pair for part in self.parts for pair in part.pairs]
        self.remarks = [remark for part in self.parts for remark in part.remarks]
        self._ends = list(accumulate(len(part) for part in self.parts))
        counts = Counter(pair.image for pair in self.pairs)
        if twice := sorted(str(image) for image, count in counts.items() if count > 1):
            raise DataError(
                f"{split} of {files.root} has pictures twice, such as {few(twice, 3)}; join splits that share none"
            )

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"{self.split} has the samples 0..{len(self) - 1}, and {index} was asked for")
        place = bisect_right(self._ends, index)
        return self.parts[place][index - (self._ends[place - 1] if place else 0)]
