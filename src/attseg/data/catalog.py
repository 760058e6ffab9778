"""Data sets by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attseg.data.reading.inputs import PictureFile
from attseg.data.sample import SegmentationData
from attseg.data.sets.ade20k import Ade20kFiles
from attseg.data.sets.camvid import CamVidFiles
from attseg.data.sets.cityscapes import CityscapesFiles
from attseg.data.sets.file_set import FileSet
from attseg.data.sets.files import FileData
from attseg.data.sets.folder import FolderFiles
from attseg.data.sets.sbd import SbdFiles
from attseg.data.sets.scenes import Scenes
from attseg.data.sets.voc import VocFiles
from attseg.errors import UsageError, unknown

FILE_SETS: dict[str, type[FileSet]] = {
    files.name: files for files in (CamVidFiles, FolderFiles, VocFiles, SbdFiles, Ade20kFiles, CityscapesFiles)
}
"""Data sets that lie in a folder."""

DATA_NAMES = ("scenes", *FILE_SETS)

OPTIONS = {
    "scenes": ("size", "count", "seed", "decides"),
    "folder": ("range", "orientation"),
    "voc2012": ("sbd",),
    "cityscapes": ("labels",),
}
"""Options of the data sets that have some."""


def open_data(name: str, split: str, *, root: str | Path | None = None, **options: Any) -> SegmentationData:
    """Open a split of a data set, to train or to evaluate on it.

    Args:
        name: One of ``DATA_NAMES``.
        split: ``train``, ``val``, or another split that the data set has, with labels.
        root: Folder of the data set; ``scenes`` are generated and have none.
        **options: ``size``, ``count``, ``seed`` and ``decides`` of ``scenes``; ``range`` and ``orientation`` of ``folder``;
            ``sbd`` of ``voc2012``, the folder of SBD; ``labels`` of ``cityscapes``, which label files are read. Others have no
            options.

    Raises:
        UsageError: There is no such data set or option, or ``root`` is missing or not wanted.
        DataError: The data set cannot be used as it is, or the split has no labels: ``open_pictures`` opens it.

    Example:
        >>> data = open_data("scenes", "val", size=(64, 96), count=10)
        >>> len(data), data.split
        (10, 'val')
    """
    if name == "scenes":
        _check_options(name, options)
        if root is not None:
            raise UsageError(f"scenes are generated and lie in no folder, but the root {root} was given; leave it out")
        return Scenes(split, **options)
    return FileData(open_files(name, root, **options), split)


def open_pictures(name: str, split: str, *, root: str | Path | None = None, **options: Any) -> list[PictureFile]:
    """The picture files of a split, to predict them; the split may have labels or not.

    Args:
        name: One of ``DATA_NAMES``, but not ``scenes``.
        split: ``test``, or another split that the data set has.
        root: Folder of the data set.
        **options: As in ``open_data``.

    Raises:
        UsageError: There is no such data set or option, or ``root`` is missing.
        DataError: There is no such split, or no picture in it.
    """
    return open_files(name, root, **options).pictures(split)


def open_files(name: str, root: str | Path | None, **options: Any) -> FileSet:
    """A data set that lies in a folder, with all of its splits.

    Raises:
        UsageError: There is no such data set or option, it lies in no folder, or ``root`` is missing.
        DataError: An option names a folder that is not what it should be.
    """
    if name not in DATA_NAMES:
        raise unknown("data set", name, DATA_NAMES)
    if name not in FILE_SETS:
        raise UsageError(
            f"{name} are generated and lie in no folder; a data set of files was expected: {', '.join(FILE_SETS)}"
        )
    if root is None:
        raise UsageError(f"the data set {name!r} lies in a folder, and none was given: say which (--data.root DIR)")
    _check_options(name, options)
    return FILE_SETS[name](root, **options)


def _check_options(name: str, options: Iterable[str]) -> None:
    known = OPTIONS.get(name, ())
    for option in options:
        if option not in known:
            raise unknown(f"option of {name}", option, known, more="" if known else f"{name} has no options")
