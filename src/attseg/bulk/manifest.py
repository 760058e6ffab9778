"""The manifest of a folder of results: a line of JSON a picture, added when its files are written and never changed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from array import array
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from attseg.bulk.share import ALONE, Share
from attseg.data.classes import ClassTable
from attseg.data.sample import Array
from attseg.errors import UsageError
from attseg.files import FileError, NotAFile, obstacle, open_file, refuse_link
from attseg.text import harmless

NAMES = "manifest*.jsonl"
"""The manifests of a folder: ``manifest.jsonl``, and one of each process where several have worked on it."""

LONGEST_LINE = 2**20
"""Bytes of a line that are looked at to tell a manifest from other files."""


class Manifest:
    """Adds lines to the manifest of a folder, and knows what all manifests of the folder say is done.

    Of a picture that is done, 8 bytes are kept: they change with the picture, with its labels, and with what these depend on. A
    line that a kill cut short is taken off when the manifest is opened again.

    Args:
        folder: Where the results are.
        share: Which process writes; each has a manifest of its own.

    Raises:
        UsageError: The file was not written by attseg.
        FileError: A manifest cannot be read or written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with Manifest(folder) as manifest:
        ...     manifest.add({"file": "street.jpg", "key": "00000000000000ff"})
        >>> with Manifest(folder) as manifest:
        ...     manifest.holds("00000000000000ff"), manifest.holds("00000000000000fe")
        (True, False)
        >>> list(read_manifests(folder))
        [{'file': 'street.jpg', 'key': '00000000000000ff'}]
    """

    def __init__(self, folder: Path, share: Share = ALONE) -> None:
        self.path = folder / share.file("manifest", ".jsonl")
        try:
            refuse_link(self.path)
        except NotAFile as error:
            raise FileError(f"cannot write {self.path}: {error.strerror}") from error
        keys = (key for entry in read_manifests(folder) if (key := _key(entry)) is not None)
        self._keys = np.sort(np.frombuffer(array("Q", keys), np.uint64))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _refuse_foreign(self.path)
            _cut_torn_line(self.path)
            self._file: BinaryIO = open_file(self.path, "ab", buffering=0)
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {obstacle(error, self.path)}") from error

    def __enter__(self) -> Manifest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_empty = self._file.tell() == 0
        self._file.close()
        if is_empty and error is not None:
            with suppress(OSError):
                self.path.unlink()

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add a line, at once.

        Raises:
            FileError: It cannot be written.
        """
        line = _encode(entry) + b"\n"
        try:
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {obstacle(error, self.path)}") from error

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
        try:
            with open_file(path) as file:
                for line in file:
                    if (entry := _parse(line)) is not None:
                        yield entry
        except OSError as error:
            raise FileError(f"{path} cannot be read: {error.strerror or error}") from error


def key_of(origin: str, picture: os.stat_result, labels: os.stat_result) -> str:
    """A few bytes that change with the picture, with its labels, and with what these depend on.

    Args:
        origin: The name of the picture, and what its labels depend on.
        picture: Size and time of the picture's file.
        labels: Size and time of the label file.
    """
    seen = [origin, picture.st_size, picture.st_mtime_ns, labels.st_size, labels.st_mtime_ns]
    return hashlib.blake2b(json.dumps(seen).encode(errors="surrogatepass"), digest_size=8).hexdigest()


def areas(labels: Array, classes: ClassTable) -> dict[str, Any]:
    """Pixels of each class that is there, the largest first, and the value that stands for it in the label file.

    Example:
        >>> areas(np.array([[1, 1, 0]], np.uint8), ClassTable(("sky", "road"), ((0, 0, 0),) * 2, {1: 0, 7: 1}))
        {'classes': {'road': 2, 'sky': 1}, 'values': {'road': 7, 'sky': 1}, 'numbering': 'file values'}
    """
    return named_areas(np.array(Image.fromarray(labels).histogram()), classes)


def named_areas(counts: npt.NDArray[np.int64], classes: ClassTable) -> dict[str, Any]:
    """The same, of how many pixels each class index has."""
    order = [int(index) for index in np.argsort(-counts[: len(classes)], kind="stable") if counts[index]]
    return {
        "classes": {classes.names[index]: int(counts[index]) for index in order},
        "values": {classes.names[index]: int(classes.values[index]) for index in order},
        "numbering": classes.numbering,
    }


def now() -> str:
    """The time of day as an entry has it: in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _encode(entry: Mapping[str, Any]) -> bytes:
    text = json.dumps(entry, ensure_ascii=False)
    return (text if harmless(text) == text else json.dumps(entry)).encode()


def _parse(line: bytes) -> dict[str, Any] | None:
    """The values of a line that was written to its end."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _key(entry: Mapping[str, Any]) -> int | None:
    """The key of an entry as a number; a line that was changed on the disk may hold anything."""
    key = entry.get("key")
    return int(key, 16) if isinstance(key, str) and re.fullmatch(r"[0-9a-f]{1,16}", key) else None


def _refuse_foreign(path: Path) -> None:
    """Refuse to add to a file that does not begin as a manifest does.

    Raises:
        UsageError: It was not written by attseg.
    """
    if not path.exists():
        return
    with open_file(path) as file:
        first = file.readline(LONGEST_LINE)
    entry = _parse(first)
    if first and "file" not in (entry or {}) and not first.startswith(b'{"file"'):
        raise UsageError(
            f"{path} is there already, and is no manifest of predictions; move it away, or choose another folder (--out)"
        )


def _cut_torn_line(path: Path) -> None:
    """Take off what stands behind the last end of a line."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return
    with open_file(path, "rb+") as file:
        end = size
        while end > 0:
            begin = max(0, end - 2**16)
            file.seek(begin)
            if (place := file.read(end - begin).rfind(b"\n")) >= 0:
                end = begin + place + 1
                break
            end = begin
        if end < size:
            file.truncate(end)
