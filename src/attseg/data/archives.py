"""Unpacks an archive that is checked before anything is written: plain files, inside the folder, bounded in size."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from attseg.data.wording import amount
from attseg.files import require_file

MOST_BYTES = 2**34

DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, shutil.ReadError)
"""Errors of the standard library for archives that are truncated, damaged, encrypted, or packed in an unusual way."""


class ArchiveError(OSError):
    """An archive is damaged, or contains what an archive of images does not contain."""


def unpack_checked(archive: Path, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Unpack an archive into a folder.

    Args:
        archive: A .zip, .tar, .tgz or .tar.gz file.
        folder: Created if missing. The caller removes it where this fails.
        most_bytes: Bytes that its files may have.

    Raises:
        ArchiveError: It is damaged, too large, or contains a path outside of the folder, a link, a device or a password.
        OSError: Nothing can be written.
    """
    try:
        if problem := _strange(archive, most_bytes):
            raise ArchiveError(
                f"{archive} holds {problem}, as no archive of a data set does; nothing was unpacked. Where does it come from?"
            )
        kind = _kind(archive)
        shutil.unpack_archive(archive, folder, kind, filter=None if kind == "zip" else "data")
    except DAMAGE as error:
        raise ArchiveError(f"{archive} is damaged ({error}); remove it, and run the same command again") from error


def _kind(archive: Path) -> str:
    """What ``shutil`` calls the format of an archive, by its suffix in any case."""
    return {".zip": "zip", ".tar": "tar"}.get(archive.suffix.lower(), "gztar")


def _strange(archive: Path, most_bytes: int) -> str | None:
    """The first member of an archive that is no plain file inside the folder, or exceeds the limit; None if all are fine."""
    kind = _kind(archive)
    if kind == "zip":
        with zipfile.ZipFile(require_file(archive)) as packed:
            listed = [(info.filename, info.file_size, True) for info in packed.infolist()]
    else:
        with tarfile.open(require_file(archive), "r:" if kind == "tar" else "r:gz") as tar:
            listed = [(info.name, info.size, info.isfile() or info.isdir()) for info in tar]
    for name, _, plain in listed:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or not plain:
            return f"{'a path that leads elsewhere' if plain else 'a link or device'} (at {name!r})"
    return f"more than {amount(most_bytes)}" if sum(size for _, size, _ in listed) > most_bytes else None
