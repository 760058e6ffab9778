"""The split of each picture in a file: kept with a run, and extended where pictures were added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attseg.data.sample import SegmentationData
from attseg.data.sets.file_data import FileData
from attseg.data.sets.folder import DIVIDED, FolderFiles
from attseg.data.sets.own import RECORD
from attseg.data.splitting import read_splits, save_splits
from attseg.data.wording import plural
from attseg.errors import UsageError


def keep_splits(data: SegmentationData, path: Path) -> None:
    """Write the split of each picture, if the data set was divided by an option and the file is not there yet."""
    if isinstance(data, FileData) and isinstance(data.files, FolderFiles) and data.files.division and not path.exists():
        save_splits(path, data.files.assigned)


def is_divided(name: str, options: Mapping[str, Any]) -> bool:
    """Whether options divide the pictures of a data set."""
    return name == RECORD.name and any(options.get(option) is not None for option in ("split", "fold"))


def with_kept_splits(name: str, options: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The options of a data set with the file of splits that a run has kept, in place of the options that made it.

    Args:
        name: Of the data set.
        options: Of the data set, as the recipe states them.
        path: The file of the run; where it is not there, the options stay.
    """
    if not is_divided(name, options) or not path.is_file():
        return dict(options)
    return {option: value for option, value in options.items() if option not in DIVIDED} | {
        "split": str(path.absolute())
    }


def extend_splits(files: FolderFiles, path: Path) -> str:
    """Write the split of each picture to a file; pictures that it has already stay in their split.

    Args:
        files: A data set that the option ``split`` divides by shares.
        path: The file; it need not be there.

    Returns:
        How many pictures each split has, and what was added or is gone, as a sentence.

    Raises:
        UsageError: No shares are stated, or the file has other splits.
        DataError: The data set cannot be used, or the file cannot be read.
    """
    division = files.division
    if division is None or division.file is not None or division.fold is not None:
        raise UsageError("no shares are stated that divide the pictures; add --data.options.split 0.8")
    before = read_splits(path) if path.exists() else {}
    if others := sorted(set(before.values()) - {*division.names}):
        raise UsageError(f"{path} has the split {others[0]!r}, and {', '.join(division.names)} were asked for")
    files.whole.checked()
    after = division.divide(files.whole, files.meaning, kept=before)
    save_splits(path, after)
    counts = Counter(after.values())
    told = [", ".join(f"{counts[split]} {split}" for split in division.names)]
    if before:
        new = Counter(split for name, split in after.items() if name not in before)
        added = ", ".join(f"{count} to {split}" for split, count in sorted(new.items())) or "none"
        told.append(f"{plural(len(before.keys() & after.keys()), 'picture')} stayed, added: {added}")
    if gone := before.keys() - after.keys():
        told.append(f"{plural(len(gone), 'picture')} no longer there")
    return f"{path}: {'; '.join(told)}"
