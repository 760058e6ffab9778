"""Whether a run still trains on the files that it began with: a data set that changes under it would change what comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attseg.data.sample import DataError, SegmentationData
from attseg.data.sets.files import FileData
from attseg.data.wording import few, plural
from attseg.files import FileError, read_bytes, replacing

ADVICE = (
    "Put the data back as they were, and the run goes on from its last save with --resume; or begin another run (--out), "
    "with this one's weights if they are wanted (--init)"
)

_GONE = -1

Sizes = dict[str, list[int]]
"""Bytes of the picture and of the labels, by the name of the sample."""


class SameData:
    """The classes of a data set, and names and sizes of its files, as they were when the run began.

    A file that was replaced by one of the same size is not told from the old one: reading all files to be sure would take very
    long for large data sets. Of generated data, which follow from the recipe, there is nothing to look at but their classes.

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
        now = json.loads(json.dumps({"classes": classes, "means": means, "files": self._sizes()}))
        before = _read(path)
        if before is None:
            with replacing(path) as file:
                file.write(json.dumps(now).encode() + b"\n")
            before = now
        self._files: dict[str, Sizes] = before["files"]
        if any(before[key] != now[key] for key in ("classes", "means")):
            raise DataError(f"the classes of the data set are no longer those that the run began with. {ADVICE}")
        self._compare(now["files"])

    def check(self) -> None:
        """Look at the files once more.

        Raises:
            DataError: A file is gone, or has another size than at the beginning.
        """
        self._compare(self._sizes())

    def _sizes(self) -> dict[str, Sizes]:
        return {
            split: {pair.name: [_size(pair.image), _size(pair.labels)] for pair in pairs}
            for split, pairs in self._splits.items()
        }

    def _compare(self, found: Mapping[str, Sizes]) -> None:
        for split, now in found.items():
            before = self._files[split]
            gone = [name for name in before if _GONE in now.get(name, [_GONE])]
            new = [name for name in now if name not in before]
            other = [name for name in before if name not in gone and now[name] != before[name]]
            told = [
                f"{plural(len(names), what)} ({few(names)})"
                for names, what in ((gone, "missing sample"), (new, "new sample"), (other, "sample"))
                if names
            ]
            if told:
                sized = " of another size" if other else ""
                raise DataError(
                    f"the split {split!r} is no longer what it was when the run began, with {plural(len(before), 'sample')}: "
                    f"{', '.join(told)}{sized}. {ADVICE}"
                )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(read_bytes(path)) if path.exists() else None
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read ({error}); remove it if the data set is the one of this run") from error


def _size(path: Path) -> int:
    """Bytes of a file, or ``_GONE``."""
    try:
        return path.stat().st_size
    except OSError:
        return _GONE
