"""Downloads a data set by its name: fetch, verify, unpack."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from attseg.data.catalog import CATALOG
from attseg.data.download.transfer import DownloadError, Progress, fetch
from attseg.data.download.unpack import unpack
from attseg.data.sets.record import Source
from attseg.errors import unknown
from attseg.files import FileError, making, obstacle, open_file
from attseg.locks import locked

SOURCES = {name: record.source for name, record in CATALOG.items() if record.source}
BY_HAND = {name: record.by_hand for name, record in CATALOG.items() if record.by_hand}

RECORD = "downloaded.json"
"""File in an unpacked data set that says what it was made from."""
LOCK = ".download.lock"
CHUNK = 2**20


@dataclass(frozen=True)
class Download:
    """Result of ``download``.

    Args:
        source: Where the data set comes from.
        folder: Where it is now.
        archive: What it was unpacked from; None if the data set was there before.
        files: Number of files unpacked.
    """

    source: Source
    folder: Path
    archive: Path | None = None
    files: int = 0


def download(name: str, root: str | Path, *, progress: Progress) -> Download:
    """Fetch a data set, verify it, and unpack it; steps that an earlier call completed are skipped.

    An archive that was put into the root by hand is used like a fetched one. It stays there.

    Args:
        name: One of ``SOURCES``.
        root: Folder for the archive and the data set; created if missing.
        progress: Progress callback.

    Raises:
        UsageError: There is no such data set.
        DownloadError: It has to be fetched by hand; or something failed, and the message says what, and what was kept.
    """
    source, root = find_source(name, str(root)), Path(root)
    place, archive = root / source.place, root / source.file
    if _is_there(place):
        return Download(source, place)

    def busy(owner: str) -> DownloadError:
        return DownloadError(f"process {owner} downloads into {root}; wait for it to end")

    try:
        with making(root), making(place.parent), locked(root / LOCK, busy, remove=True):
            if _is_there(place):  # another process was faster
                return Download(source, place)
            if fetched := not archive.exists():
                fetch(source.url, archive, size=source.size, progress=progress)
            record = _verified(source, archive, fetched, progress)
            more = {RECORD: json.dumps(record, indent=2).encode() + b"\n"}
            unpacking = partial(progress, "unpacking")
            files = unpack(archive, place, inside=source.inside, holds=source.holds, more=more, progress=unpacking)
    except (DownloadError, FileError):
        raise
    except OSError as error:
        raise DownloadError(f"cannot make {place.parent}: {obstacle(error, place)}") from error
    return Download(source, place, archive, files)


def find_source(name: str, root: str) -> Source:
    """The source of a data set.

    Args:
        name: One of ``SOURCES``.
        root: Where it is to go, for the advice where it cannot be fetched.

    Raises:
        UsageError: There is no such data set.
        DownloadError: It has to be fetched by hand; the message says how.
    """
    if name in BY_HAND:
        raise DownloadError(BY_HAND[name].format(root=root))
    if name not in SOURCES:
        raise unknown("data set to download", name, (*SOURCES, *BY_HAND))
    return SOURCES[name]


def _verified(source: Source, archive: Path, fetched: bool, progress: Progress) -> dict[str, object]:
    """The record of the archive; one that was just fetched and has a wrong checksum is removed."""
    known, total = source.checksum, archive.stat().st_size
    hashes = {
        name: hashlib.new(name, usedforsecurity=False) for name in {"sha256", known.algorithm if known else "sha256"}
    }
    with open_file(archive) as content:
        while chunk := content.read(CHUNK):
            for hashing in hashes.values():
                hashing.update(chunk)
            progress("checking", content.tell(), total)
    found = {name: hashing.hexdigest() for name, hashing in sorted(hashes.items())}
    if known and found[known.algorithm] != known.value:
        if fetched:
            archive.unlink()
        advice = (
            "The file was removed; try once more, and if it fails again, the server has another file now"
            if fetched
            else "Remove the file, or put the right one there"
        )
        raise DownloadError(
            f"{archive} has the {known.algorithm} {found[known.algorithm]}, and {known.value} was expected (as published by "
            f"{known.publisher}); nothing was unpacked. {advice}: {source.homepage}"
        )
    return {
        "url": source.url if fetched else None,
        "file": archive.name,
        "bytes": total,
        **found,
        "checked": f"{known.algorithm}, as published by {known.publisher}" if known else None,
        "date": time.strftime("%Y-%m-%d"),
    }


def _is_there(place: Path) -> bool:
    return place.is_dir() and any(place.iterdir())
