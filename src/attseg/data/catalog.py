"""Data sets by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attseg.data.sample import SegmentationData
from attseg.data.sets.camvid import CamVid
from attseg.data.sets.files import FileData
from attseg.data.sets.folder import Folder
from attseg.data.sets.scenes import Scenes
from attseg.errors import UsageError, unknown

FILE_DATA: dict[str, type[FileData]] = {"camvid": CamVid, "folder": Folder}
"""Data sets that lie in a folder."""

DATA_NAMES = ("scenes", *FILE_DATA)

SCENES_OPTIONS = ("size", "count", "seed")


def open_data(name: str, split: str, *, root: str | Path | None = None, **options: Any) -> SegmentationData:
    """Open a split of a data set.

    Args:
        name: One of ``DATA_NAMES``.
        split: ``train``, ``val``, ``test``, or another split that the data set has.
        root: Folder of the data set; ``scenes`` are generated and have none.
        **options: ``size``, ``count`` and ``seed`` of ``scenes``; the others have no options.

    Raises:
        UsageError: There is no such data set or option, or ``root`` is missing or not wanted.
        DataError: The data set cannot be used as it is.

    Example:
        >>> data = open_data("scenes", "val", size=(64, 96), count=10)
        >>> len(data), data.split
        (10, 'val')
    """
    if name not in DATA_NAMES:
        raise unknown("data set", name, DATA_NAMES)
    if name == "scenes":
        _check_options(name, options, SCENES_OPTIONS)
        if root is not None:
            raise UsageError(f"scenes are generated and lie in no folder, but the root {root} was given; leave it out")
        return Scenes(split, **options)
    _check_options(name, options, ())
    return FILE_DATA[name](need_root(name, root), split)


def need_root(name: str, root: str | Path | None) -> Path:
    """The folder of a data set that lies in one.

    Raises:
        UsageError: None was given.
    """
    if root is None:
        raise UsageError(f"the data set {name!r} lies in a folder, and none was given: say which (--data.root DIR)")
    return Path(root)


def _check_options(name: str, options: Iterable[str], known: tuple[str, ...]) -> None:
    for option in options:
        if option not in known:
            raise unknown(f"option of {name}", option, known, more="" if known else f"{name} has no options")
