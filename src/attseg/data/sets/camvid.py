"""CamVid, the version with 11 classes at 480 x 360: street scenes from a moving car."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sets.files import FileData
from attseg.data.sets.layout import Layout, LayoutFiles

CAMVID = ClassTable(
    names=(
        "sky",
        "building",
        "pole",
        "road",
        "pavement",
        "tree",
        "sign",
        "fence",
        "car",
        "pedestrian",
        "bicyclist",
    ),
    colors=(
        (128, 128, 128),
        (128, 0, 0),
        (192, 192, 128),
        (128, 64, 128),
        (60, 40, 222),
        (128, 128, 0),
        (192, 128, 128),
        (64, 64, 128),
        (64, 0, 128),
        (64, 64, 0),
        (0, 128, 192),
    ),
    raw_to_train={**{index: index for index in range(11)}, 11: IGNORE},
)
"""Files hold 0..10, and 11 where nothing was labelled."""


class CamVidFiles(LayoutFiles):
    """The files of CamVid, in either of two layouts: ``images/train`` and ``labels/train``, or ``train`` and ``trainannot``.

    Args:
        root: Folder of the data set, or of its folder ``CamVid``.

    Source:
        Brostow, Fauqueur, Cipolla: Semantic Object Classes in Video, Pattern Recognition Letters 30(2), 2009; classes and
        splits of Badrinarayanan, Kendall, Cipolla: SegNet, PAMI 2017.
    """

    name = "camvid"
    title = "CamVid"
    released: ClassVar = {"train": 367, "val": 101, "test": 233}
    layouts = (Layout("images/{}", "labels/{}"), Layout("{}", "{}annot"))
    places = ("CamVid",)

    def read_classes(self, split: str) -> ClassTable:
        """The 11 classes, whatever the folder holds."""
        return CAMVID


class CamVid(FileData):
    """A split of CamVid.

    Args:
        root: Folder of the data set.
        split: ``train`` (367 pictures), ``val`` (101) or ``test`` (233).

    Raises:
        DataError: The folder does not hold the split, or a file is not as it must be; see ``FileData``.
    """

    def __init__(self, root: str | Path, split: str) -> None:
        super().__init__(CamVidFiles(root), split)
