"""Validates a zip or tar archive before anything is extracted: plain files, inside the folder, bounded in number and size."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

from attseg.data.download.transfer import DownloadError
from attseg.data.wording import amount
from attseg.files import open_file, require_file

MOST_FILES = 200_000
MOST_BYTES = 2**34
MOST_AT_ONCE = 2**24
"""Bytes of a tar header, whose length the archive itself states."""

DAMAGE = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError)
"""Errors of the standard library for archives that are truncated, damaged, or packed in an unusual way."""


class ArchiveError(DownloadError):
    """An archive is damaged, or contains what an archive of images does not contain."""


class Member(NamedTuple):
    """A file or folder in an archive, as the archive states it."""

    name: str
    size: int
    is_folder: bool
    oddity: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]

    @property
    def path(self) -> PurePosixPath:
        """Where it belongs, relative."""
        return PurePosixPath(self.name)


@contextmanager
def opened(archive: Path, *, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> Iterator[list[Member]]:
    """Validate an archive and yield its files in the order in which they are read fastest.

    Args:
        archive: A file ending in .zip, .tar, .tgz or .tar.gz.
        most_files: Files and folders that it may hold.
        most_bytes: Bytes that they may have, unpacked.

    Raises:
        ArchiveError: It is damaged or truncated, too large, or contains a path outside of the folder, a link, a device, a name
            twice, or a password.
    """
    kind = _zip if archive.suffix == ".zip" else _tar
    count, total, files = 0, 0, dict[PurePosixPath, Member]()
    try:
        with kind(archive) as members:
            for member in members:
                count, total, path, oddity = count + 1, total + member.size, member.path, member.oddity
                if (
                    path.is_absolute()
                    or ".." in path.parts
                    or "\\" in member.name
                    or not (path.parts or member.is_folder)
                ):
                    oddity = "a path that leads elsewhere"
                elif path in files:
                    oddity = "a name that stands there twice"
                elif count > most_files:
                    oddity = f"more than {most_files} files"
                elif total > most_bytes:
                    oddity = f"more than {amount(most_bytes)}"
                if oddity:
                    raise ArchiveError(
                        f"{archive} holds {oddity} (at {member.name!r}), as no archive of ours does; nothing was unpacked. Where "
                        "does it come from?"
                    )
                if not member.is_folder:
                    files[path] = member
            yield list(files.values())
    except DAMAGE as error:
        raise ArchiveError(
            f"{archive} is damaged or cut off ({str(error) or type(error).__name__}); remove it, and run the same command again"
        ) from error


@contextmanager
def _zip(archive: Path) -> Iterator[Iterator[Member]]:
    with zipfile.ZipFile(require_file(archive)) as file:
        yield (_zip_member(file, info) for info in sorted(file.infolist(), key=lambda info: info.header_offset))


def _zip_member(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    plain = stat.S_IFMT(info.external_attr >> 16) in (
        0,
        stat.S_IFREG,
        stat.S_IFDIR,
    )  # 0: packed by a system without modes
    oddity = "a file with a password" if info.flag_bits & 1 else "" if plain else "a link or device"
    return Member(info.filename, info.file_size, info.filename.endswith("/"), oddity, partial(file.open, info))


@contextmanager
def _tar(archive: Path) -> Iterator[Iterator[Member]]:
    with gzip.open(require_file(archive)) if archive.suffix in (".tgz", ".gz") else open_file(archive) as content:
        bounded = _BoundedReads(cast(Any, content))
        with tarfile.open(fileobj=bounded, mode="r:") as file:
            yield _tar_members(file, bounded)


def _tar_members(file: tarfile.TarFile, content: _BoundedReads) -> Iterator[Member]:
    for info in file:
        plain = (info.isreg() and not info.issparse()) or info.isdir()
        extract = cast(Callable[[], IO[bytes]], partial(file.extractfile, info))
        yield Member(info.name, info.size, info.isdir(), "" if plain else "a link or device", extract)
    content.seek(file.offset)
    if content.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # tarfile also stops at garbage
        raise tarfile.ReadError("its end is missing")
    if len(content.read(MOST_AT_ONCE)) == MOST_AT_ONCE:  # reading a packed file to its end also checks its sum
        raise tarfile.ReadError("it goes on after its end")


class _BoundedReads(io.BufferedReader):
    """Bounds single reads, since tarfile believes a header that states its own length."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= MOST_AT_ONCE:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return super().read(size)
