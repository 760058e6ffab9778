"""Whether a data set is still the one that a run began with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attseg.data.sample import DataError, SegmentationData
from attseg.data.sets.file_data import FileData
from attseg.data.sets.survey import Pair
from attseg.data.wording import few, plural
from attseg.files import FileError, open_file, stamp_of, write_file
from attseg.json_files import read_json

ADVICE = (
    "Put the data back as they were, and the run goes on from its last save with --resume; or begin another run (--out), "
    "with this one's weights if they are wanted (--init)"
)

_GONE = -1

ENDS = 2**13
"""Bytes at each end of a file that are compared where its time is another: a label file is rarely longer than both together."""


def check_unchanged(path: Path, splits: Sequence[SegmentationData]) -> None:
    """Compare the classes of a data set, and its files, with what they were when the run began.

    A file of the same size and time is taken for the same. One of the same size and another time, such as a copy, is the same if
    its first and last 8 KiB are: reading all of every file would take very long. Generated data have no files to compare.

    Args:
        path: The record of the run; written where there is none yet.
        splits: The splits that the run uses.

    Raises:
        DataError: They differ.
        FileError: The record cannot be read or written.
    """
    files = {data.split: data.pairs for data in splits if isinstance(data, FileData)}
    table = splits[0].classes
    classes = {"names": table.names, "colors": table.colors}
    now = json.loads(json.dumps({"classes": classes, "means": sorted(table.raw_to_train.items())}))
    before = _read(path)
    if before is None:
        now["files"] = {split: {pair.name: _marks(pair) for pair in pairs} for split, pairs in files.items()}
        write_file(path, json.dumps(now).encode() + b"\n")
        return
    try:
        _compare(before, now, files)
    except (LookupError, TypeError, AttributeError) as error:
        raise FileError(
            f"{path} is damaged ({type(error).__name__}: {error}); remove it if the data set is the one of this run"
        ) from error


def _compare(before: dict[str, Any], now: dict[str, Any], files: Mapping[str, Sequence[Pair]]) -> None:
    if any(before[key] != now[key] for key in ("classes", "means")):
        raise DataError(f"the classes of the data set are no longer those that the run began with. {ADVICE}")
    for split, pairs in files.items():
        old, found = before["files"][split], {pair.name: pair for pair in pairs}
        gone = [name for name in old if name not in found or _GONE in {stamp_of(path)[0] for path in found[name][1:]}]
        new = [name for name in found if name not in old]
        other = [name for name in old if name not in gone and not _is_same(old[name], found[name])]
        told = [
            f"{plural(len(names), what)} ({few(names)})"
            for names, what in ((gone, "missing sample"), (new, "new sample"), (other, "sample"))
            if names
        ]
        if told:
            replaced = " with another image or label file" if other else ""
            raise DataError(
                f"the split {split!r} is no longer what it was when the run began, with {plural(len(old), 'sample')}: "
                f"{', '.join(told)}{replaced}. {ADVICE}"
            )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return read_json(path) if path.exists() else None
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error}); remove it if the data set is the one of this run") from error


def _is_same(before: list[Any], pair: Pair) -> bool:
    """Whether both files of a sample are what they were; attseg 0.1.0 noted their sizes alone."""
    for noted, path in zip(before, (pair.image, pair.labels), strict=True):
        size, time = stamp_of(path)
        if isinstance(noted, int):
            if size != noted:
                return False
        elif size != noted[0] or (time != noted[1] and _digest_ends(path) != noted[2]):
            return False
    return True


def _marks(pair: Pair) -> list[list[Any]]:
    return [[*stamp_of(path), _digest_ends(path)] for path in (pair.image, pair.labels)]


def _digest_ends(path: Path) -> str | None:
    """A digest of the first and the last bytes of a file; None where it cannot be read."""
    try:
        with open_file(path) as file:
            head = file.read(ENDS)
            file.seek(max(ENDS, path.stat().st_size - ENDS))
            return hashlib.blake2b(head + file.read(ENDS), digest_size=8).hexdigest()
    except OSError:
        return None
