"""Whether a run still trains on the files that it began with: a data set that changes under it would change what comes out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attseg.data.sample import DataError, SegmentationData
from attseg.data.sets.files import FileData
from attseg.data.sets.pairs import Pair
from attseg.data.wording import few, plural
from attseg.files import FileError, open_file, read_bytes, replacing, stamp_of

ADVICE = (
    "Put the data back as they were, and the run goes on from its last save with --resume; or begin another run (--out), "
    "with this one's weights if they are wanted (--init)"
)

_GONE = -1

ENDS = 2**13
"""Bytes at each end of a file that are compared where its time is another: a label file is rarely longer than both together."""


class SameData:
    """The classes of a data set, and the state of its files, as they were when the run began.

    A file of the same size and time is taken for the same. One of the same size and another time, such as a copy, is the same if
    its first and last 8 KiB are: reading all of every file would take very long. Of generated data, which follow from the recipe,
    there is nothing to look at but their classes.

    Args:
        path: Where the run keeps them; written where there is nothing yet.
        splits: The splits that the run uses.

    Raises:
        DataError: They are not what they were.
        FileError: The record cannot be read or written.
    """

    def __init__(self, path: Path, splits: Sequence[SegmentationData]) -> None:
        self._splits = {data.split: data.pairs for data in splits if isinstance(data, FileData)}
        table = splits[0].classes
        means = sorted(table.raw_to_train.items())
        classes = {"names": table.names, "colors": table.colors}
        now = json.loads(json.dumps({"classes": classes, "means": means}))
        before = _read(path)
        if before is None:
            now["files"] = {split: {p.name: _marks(p) for p in pairs} for split, pairs in self._splits.items()}
            with replacing(path) as file:
                file.write(json.dumps(now).encode() + b"\n")
            before = now
        self._files: dict[str, Any] = before["files"]
        if any(before[key] != now[key] for key in ("classes", "means")):
            raise DataError(f"the classes of the data set are no longer those that the run began with. {ADVICE}")
        self.check()

    def check(self) -> None:
        """Look at the files once more.

        Raises:
            DataError: A file is gone, or is another one than at the beginning.
        """
        for split, pairs in self._splits.items():
            before, now = self._files[split], {pair.name: pair for pair in pairs}
            gone = [name for name in before if name not in now or _is_gone(now[name])]
            new = [name for name in now if name not in before]
            other = [name for name in before if name not in gone and not _is_same(before[name], now[name])]
            told = [
                f"{plural(len(names), what)} ({few(names)})"
                for names, what in ((gone, "missing sample"), (new, "new sample"), (other, "sample"))
                if names
            ]
            if told:
                sized = " with another image or label file" if other else ""
                raise DataError(
                    f"the split {split!r} is no longer what it was when the run began, with {plural(len(before), 'sample')}: "
                    f"{', '.join(told)}{sized}. {ADVICE}"
                )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(read_bytes(path)) if path.exists() else None
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read ({error}); remove it if the data set is the one of this run") from error


def _is_gone(pair: Pair) -> bool:
    return any(stamp_of(path)[0] == _GONE for path in (pair.image, pair.labels))


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
