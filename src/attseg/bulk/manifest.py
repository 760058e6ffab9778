"""The manifest of a folder of results: a line of JSON a picture, added when its files are written and never changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from attseg.bulk.share import ALONE, Share
from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sample import Array
from attseg.json_lines import JsonLines, read_lines

NAMES = "manifest*.jsonl"
"""The manifests of a folder: ``manifest.jsonl``, and one of each process where several have worked on it."""


class Manifest(JsonLines):
    """Adds lines to the manifest of a folder, and knows what all manifests of the folder say is done.

    Of a picture that is done, 8 bytes are kept: they change with the picture, with its labels, and with what these depend on.

    Args:
        folder: Where the results are.
        share: Which process writes; each has a manifest of its own.

    Raises:
        UsageError: The file was not written by attseg.
        FileError: A manifest cannot be read or written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> place = Manifest(folder).add({"file": "street.jpg", "key": "00000000000000ff"})
        >>> manifest = Manifest(folder)
        >>> manifest.holds("00000000000000ff"), manifest.holds("00000000000000fe")
        (True, False)
        >>> list(read_manifests(folder))
        [{'file': 'street.jpg', 'key': '00000000000000ff'}]
    """

    def __init__(self, folder: Path, share: Share = ALONE) -> None:
        super().__init__(folder / share.file("manifest", ".jsonl"), "file", "manifest of predictions")
        keys = (key for entry in read_manifests(folder) if (key := _key(entry)) is not None)
        self._keys = np.unique(np.fromiter(keys, np.uint64))

    def holds(self, key: str) -> bool:
        """Whether a picture was done before, by its ``key``, when this was opened."""
        wanted = np.uint64(int(key, 16))
        place = int(np.searchsorted(self._keys, wanted))
        return place < len(self._keys) and bool(self._keys[place] == wanted)


def read_manifests(folder: Path) -> Iterator[dict[str, Any]]:
    """The entries of all manifests of a folder. Where a picture stands twice in one, the later entry counts.

    Raises:
        FileError: A manifest cannot be read.
    """
    for path in sorted(folder.glob(NAMES)):
        yield from (entry for _, entry in read_lines(path))


def key_of(origin: str, picture: os.stat_result, labels: os.stat_result) -> str:
    """A few bytes that change with the picture, with its labels, and with what these depend on.

    Args:
        origin: The name of the picture, and what its labels depend on.
        picture: Size and time of the picture's file.
        labels: Size and time of the label file.
    """
    seen = [origin, picture.st_size, picture.st_mtime_ns, labels.st_size, labels.st_mtime_ns]
    return hashlib.blake2b(json.dumps(seen).encode(errors="surrogatepass"), digest_size=8).hexdigest()


def areas(counts: npt.NDArray[np.int64], classes: ClassTable) -> dict[str, Any]:
    """Pixels of each class that is there, the largest first, its value in the label file, and pixels that are not sure.

    Args:
        counts: Pixels of each byte, as from ``count``.
        classes: The classes.

    Example:
        >>> table = ClassTable(("sky", "road"), ((0, 0, 0),) * 2, {1: 0, 7: 1})
        >>> areas(count(np.array([[1, 1, 0]], np.uint8)), table)
        {'classes': {'road': 2, 'sky': 1}, 'values': {'road': 7, 'sky': 1}, 'numbering': 'file values'}
    """
    order = [int(index) for index in np.argsort(-counts[: len(classes)], kind="stable") if counts[index]]
    unsure = {"not_sure": int(counts[IGNORE])} if counts[IGNORE] else {}
    return {
        "classes": {classes.names[index]: int(counts[index]) for index in order},
        "values": {classes.names[index]: int(classes.values[index]) for index in order},
        "numbering": classes.numbering,
        **unsure,
    }


def count(labels: Array) -> npt.NDArray[np.int64]:
    """(256,) Pixels of each byte."""
    return np.array(Image.fromarray(labels).histogram())


def now() -> str:
    """The time of day as an entry has it: in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _key(entry: Mapping[str, Any]) -> int | None:
    """The key of an entry as a number; a line that was changed on the disk may hold anything."""
    key = entry.get("key")
    return int(key, 16) if isinstance(key, str) and re.fullmatch(r"[0-9a-f]{1,16}", key) else None
