"""Data sets by name."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.data.sets import ade20k, camvid, cityscapes, own, sbd, scenes, voc
from attseg.data.sets.record import DataSet
from attseg.errors import UsageError, unknown

if TYPE_CHECKING:
    from attseg.data.reading.inputs import PictureFile
    from attseg.data.sample import SegmentationData
    from attseg.data.sets.file_set import FileSet
    from attseg.data.sets.folder import FolderFiles

CATALOG: dict[str, DataSet] = {
    module.RECORD.name: module.RECORD for module in (scenes, camvid, own, voc, sbd, ade20k, cityscapes)
}
"""Records of the data sets by name."""

DATA_NAMES = tuple(CATALOG)


def open_data(name: str, split: str, /, *, root: str | Path | None = None, **options: Any) -> SegmentationData:
    """Open a split of a data set, to train or to evaluate on it.

    Args:
        name: One of ``DATA_NAMES``.
        split: ``train``, ``val``, or another split that the data set has, with labels; ``train+val`` and the like are several of
            a data set of files, behind each other.
        root: Folder of the data set; ``scenes`` are generated and have none.
        **options: The options in its record: ``size``, ``count`` and ``seed`` of ``scenes``, for example.

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
        return scenes.Scenes(split, **options)

    from attseg.data.sets.file_data import FileData
    from attseg.data.sets.file_union import FileUnion, is_union

    files = open_files(name, root, **options)
    return FileUnion(files, split) if is_union(files, split) else FileData(files, split)


def find_named(word: str, root: str | None) -> tuple[str, str | None]:
    """Name and root of the data set that a word means: its name, or a folder of one's own.

    Args:
        word: A name, or a folder.
        root: Folder of a data set that is named.

    Raises:
        UsageError: It is neither.
    """
    if word in CATALOG:
        return word, root
    if root is not None:
        raise unknown("data set", word, CATALOG)
    if Path(word).is_file():
        raise UsageError(
            f"{word} is a file; a data set or a folder was expected. If a labelling tool exported it, import it: "
            f"attseg data import {shlex.quote(word)} --out DIR"
        )
    if not Path(word).is_dir():
        raise UsageError(f"{unknown('data set', word, CATALOG)}; nor is there a folder of this name")
    return "folder", word


def open_pictures(name: str, split: str, /, *, root: str | Path | None = None, **options: Any) -> list[PictureFile]:
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


def open_files(name: str, root: str | Path | None, /, **options: Any) -> FileSet:
    """A data set that lies in a folder, with all of its splits.

    Raises:
        UsageError: There is no such data set or option, it lies in no folder, or ``root`` is missing.
        DataError: An option names a folder that is not what it should be.
    """
    if name not in CATALOG:
        raise unknown("data set", name, DATA_NAMES)
    record = CATALOG[name]
    if not record.files:
        others = ", ".join(other.name for other in CATALOG.values() if other.files)
        raise UsageError(f"{name} are generated and lie in no folder; a data set of files was expected: {others}")
    if root is None:
        raise UsageError(f"the data set {name!r} lies in a folder, and none was given: say which (--data.root DIR)")
    _check_options(name, options)
    module, _, files = record.files.rpartition(".")
    opened: FileSet = getattr(import_module(f"attseg.data.sets.{module}"), files)(record, root, **options)
    return opened


def own_folder(name: str, root: str | None, /, **options: Any) -> FolderFiles:
    """The same of a folder of one's own, for what public data sets have already: splits, or a table of classes.

    Raises:
        UsageError: It is a public data set; or as ``open_files``.
    """
    from attseg.data.sets.folder import FolderFiles

    files = open_files(name, root, **options) if root else None
    if not isinstance(files, FolderFiles):
        raise UsageError(f"{name} has its own splits and classes; a folder of your own was expected")
    return files


def _check_options(name: str, options: Iterable[str]) -> None:
    known = CATALOG[name].options
    for option in options:
        if option not in known:
            raise unknown(f"option of {name}", option, known, more="" if known else f"{name} has no options")
