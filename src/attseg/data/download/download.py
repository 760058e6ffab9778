"""A data set by its name, from its server to a folder."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from attseg.data.download.checksum import digests
from attseg.data.download.errors import DownloadError
from attseg.data.download.sources import Source, find_source
from attseg.data.download.transfer import Progress, fetch
from attseg.data.download.unpack import unpack
from attseg.files import obstacle

RECORD = "downloaded.json"
"""File in an unpacked data set that says what it was made from."""
LOCK = ".download.lock"

_AFTER_FETCHING = "The file was removed; try once more, and if it ends like this again, the server has another one now"
_FOUND = "Remove the file, or lay the right one there"


@dataclass(frozen=True)
class Download:
    """What ``download`` did.

    Args:
        source: Where the data set comes from.
        folder: Where it lies now.
        archive: What it was unpacked from; None where it was there before, and nothing was done.
        files: How many there are.
    """

    source: Source
    folder: Path
    archive: Path | None = None
    files: int = 0


def download(name: str, root: str | Path, *, progress: Progress) -> Download:
    """Fetch a data set, check it, and unpack it; whatever an earlier call has done is not done again.

    An archive that was laid into the root by hand is used like one that was fetched. It stays there.

    Args:
        name: One of ``SOURCES``.
        root: Folder that gets the archive and the data set; it is made.
        progress: Is told what is going on.

    Raises:
        UsageError: There is no such data set.
        DownloadError: It has to be fetched by hand; or something failed, and the message says what, and what was kept.
    """
    source, root = find_source(name, str(root)), Path(root)
    place, archive = root / source.place, root / source.file
    if _is_there(place):
        return Download(source, place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(f"cannot make {place.parent}: {obstacle(error, place)}") from error
    with _alone(root):
        if _is_there(place):  # another process was faster
            return Download(source, place)
        fetched = not archive.exists()
        if fetched:
            fetch(source.url, archive, size=source.size, progress=progress)
        record = _verified(source, archive, fetched, progress)
        files = unpack(
            archive,
            place,
            inside=source.inside,
            holds=source.holds,
            more={RECORD: json.dumps(record, indent=2).encode() + b"\n"},
            progress=partial(progress, "unpacking"),
        )
    return Download(source, place, archive, files)


def _verified(source: Source, archive: Path, fetched: bool, progress: Progress) -> dict[str, object]:
    """What was got, for the record; an archive with a wrong checksum is removed if it was only just fetched."""
    known = source.checksum
    found = digests(archive, {"sha256"} | ({known.algorithm} if known else set()), partial(progress, "checking"))
    if known and found[known.algorithm] != known.value:
        if fetched:
            archive.unlink()
        raise DownloadError(
            f"{archive} has the {known.algorithm} {found[known.algorithm]}, and {known.value} was expected (as published by "
            f"{known.publisher}); nothing was unpacked. {_AFTER_FETCHING if fetched else _FOUND}: {source.homepage}"
        )
    return {
        "url": source.url if fetched else None,
        "file": archive.name,
        "bytes": archive.stat().st_size,
        **found,
        "checked": f"{known.algorithm}, as published by {known.publisher}" if known else None,
        "date": time.strftime("%Y-%m-%d"),
    }


def _is_there(place: Path) -> bool:
    return place.is_dir() and any(place.iterdir())


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Keep other processes out of a folder; the lock is the system's, and vanishes with the process however it ends."""
    with (root / LOCK).open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DownloadError(f"another process downloads into {root}; wait for it to end") from None
        yield
