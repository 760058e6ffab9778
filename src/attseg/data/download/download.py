"""Downloads a data set by its name: fetches the archive, verifies it, and unpacks it."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from attseg.data.archives import ArchiveError, unpack_checked
from attseg.data.catalog import CATALOG
from attseg.data.download.fetch import DownloadError, Progress, fetch
from attseg.data.sets.record import Source
from attseg.data.wording import amount, plural
from attseg.errors import unknown
from attseg.files import FileError, making, obstacle, open_file
from attseg.locks import locked

RECORD = "downloaded.json"
"""File in an unpacked data set that says what it was made from."""
LOCK = ".download.lock"


class Download(NamedTuple):
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

    def describe(self) -> Iterator[str]:
        """What was done, and the terms of the data set, a sentence a line."""
        if self.archive is None:
            yield f"{self.folder} was there before; nothing was downloaded"
        else:
            known = "checksum as published"
            counted = "as many pictures as there should be; no checksum is published"
            yield f"{self.folder}: {plural(self.files, 'file')}, {known if self.source.checksum else counted}"
            yield f"{self.archive} ({amount(self.archive.stat().st_size)}) is no longer needed"
        yield f"terms: {self.source.terms} ({self.source.homepage})"


def download(name: str, root: str | Path, *, progress: Progress) -> Download:
    """Fetch a data set, verify it, and unpack it; steps that an earlier call completed are skipped.

    An archive that was put into the root by hand is used like a fetched one. It stays there.

    Args:
        name: A data set with a source.
        root: Folder for the archive and the data set; created if missing.
        progress: Progress callback.

    Raises:
        UsageError: There is no such data set.
        ArchiveError: The archive is damaged or dangerous.
        DownloadError: It has to be fetched by hand; or something failed, and the message says what, and what was kept.
    """
    source, root = find_source(name, str(root)), Path(root)
    place, archive = root / source.place, root / source.file
    if place.is_dir() and any(place.iterdir()):
        return Download(source, place)

    def busy(owner: str) -> DownloadError:
        return DownloadError(f"process {owner} downloads into {root}; wait for it to end")

    try:
        with making(root), making(place.parent), locked(root / LOCK, busy, remove=True):
            if not archive.exists():
                fetch(source.url, archive, progress=progress)
            progress("checking", 0, None)
            record = {"url": source.url, **_verified(source, archive), "date": time.strftime("%Y-%m-%d")}
            progress("unpacking", 0, None)
            files = unpack(archive, place, source)
            with open_file(place / RECORD, "wb") as note:
                note.write(json.dumps(record, indent=2).encode())
    except (DownloadError, ArchiveError, FileError):
        raise
    except OSError as error:
        raise DownloadError(f"cannot make {place.parent}: {obstacle(error, place)}") from error
    return Download(source, place, archive, files)


def find_source(name: str, root: str) -> Source:
    """The source of a data set.

    Args:
        name: A data set with a source.
        root: Where it is to go, for the advice where it cannot be fetched.

    Raises:
        UsageError: There is no such data set.
        DownloadError: It has to be fetched by hand; the message says how.
    """
    offered = {name: record for name, record in CATALOG.items() if record.source or record.by_hand}
    if name not in offered:
        raise unknown("data set to download", name, offered)
    if source := offered[name].source:
        return source
    raise DownloadError(offered[name].by_hand.format(root=root))


def _verified(source: Source, archive: Path) -> dict[str, object]:
    """Name, size and checksum of the archive, which is the published one where there is one."""
    algorithm = source.checksum.algorithm if source.checksum else "sha256"
    with open_file(archive) as content:
        found = hashlib.file_digest(content, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    if source.checksum and found != source.checksum.value:
        raise DownloadError(
            f"{archive} has the {algorithm} {found}, and {source.checksum.value} was expected (as published by "
            f"{source.checksum.publisher}); nothing was unpacked. Remove the file and run the same command again; if that fails "
            f"too, the server has another file now: {source.homepage}"
        )
    return {"file": archive.name, "bytes": archive.stat().st_size, algorithm: found}


def unpack(archive: Path, place: Path, source: Source) -> int:
    """Put a folder of an archive in its place, all of it or nothing.

    The archive is unpacked beside the place (``.NAME.part``). What an interrupted call left is removed first.

    Args:
        archive: A .zip, .tar, .tgz or .tar.gz file.
        place: What the folder becomes; an empty folder may be there.
        source: Says which folder it is, and how many files it must have.

    Returns:
        Number of files from the archive.

    Raises:
        ArchiveError: The archive is damaged or dangerous.
        DownloadError: It is not the expected one, or nothing can be written.
    """
    part = place.with_name(f".{place.name}.part")
    inside = part / source.inside
    try:
        if part.exists():
            shutil.rmtree(part)
        unpack_checked(archive, part)
        count = sum(path.is_file() for path in inside.rglob("*"))
        found = {pattern: len(list(inside.glob(pattern))) for pattern in source.holds}
        if not count or found != source.holds:
            raise DownloadError(
                f"{archive} holds {count} files in {source.inside}: {found}, and {source.holds or 'some'} were expected. Remove "
                "it, and run the same command again"
            )
        inside.rename(place)
    except (DownloadError, ArchiveError):
        raise
    except OSError as error:
        raise DownloadError(f"cannot unpack {archive}: {obstacle(error, part)}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return count
