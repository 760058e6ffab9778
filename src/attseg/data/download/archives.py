"""What is in a zip or tar file, looked through before any of it is written: plain files only, all inside, and not too many."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from attseg.data.download.errors import ArchiveError
from attseg.data.wording import amount

MOST_FILES = 200_000
MOST_BYTES = 2**34
MOST_AT_ONCE = 2**24
"""Bytes of a tar header, whose length the archive itself states."""
BLOCK = 512
"""Bytes; a tar file ends with a block of zeros."""

DAMAGE = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError)
"""What the standard library raises about archives that are cut off, damaged, or packed in an unusual way."""


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Args:
        path: Where it belongs; relative, and without "..".
        size: Bytes of its content.
        open: Opens the content.
    """

    path: PurePosixPath
    size: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]


@contextmanager
def opened(archive: Path, *, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> Iterator[list[Member]]:
    """Look an archive through, and hand out its files in the order in which they are read fastest.

    Args:
        archive: A file ending in .zip, .tar, .tgz or .tar.gz.
        most_files: Files and folders that it may hold.
        most_bytes: Bytes that they may have, unpacked.

    Raises:
        ArchiveError: It is damaged or cut off, too much is in it, or something that pictures do not need: a path that leaves
            the folder, a link, a device, a name twice, a password.
    """
    kind = _zip if archive.suffix == ".zip" else _tar
    try:
        with kind(archive) as entries:
            yield list(_checked(archive, entries, most_files, most_bytes))
    except DAMAGE as error:
        raise ArchiveError(
            f"{archive} is damaged or cut off ({str(error) or type(error).__name__}); remove it, and give the same command again"
        ) from error


@dataclass(frozen=True)
class _Entry:
    """What an archive says about one thing in it; ``oddity`` says what that is where it is neither file nor folder."""

    name: str
    size: int
    folder: bool
    oddity: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]


def _checked(archive: Path, entries: Iterable[_Entry], most_files: int, most_bytes: int) -> Iterator[Member]:
    count, total = 0, 0
    seen: set[PurePosixPath] = set()
    for entry in entries:
        count, total, path = count + 1, total + entry.size, PurePosixPath(entry.name)
        oddity = entry.oddity
        if path.is_absolute() or ".." in path.parts or "\\" in entry.name or not (path.parts or entry.folder):
            oddity = "a path that leads elsewhere"
        elif path in seen:
            oddity = "a name that stands there twice"
        elif count > most_files:
            oddity = f"more than {most_files} files"
        elif total > most_bytes:
            oddity = f"more than {amount(most_bytes)}"
        if oddity:
            raise ArchiveError(
                f"{archive} holds {oddity} (at {entry.name!r}), as no archive of ours does; nothing was unpacked. Where does it "
                "come from?"
            )
        if not entry.folder:
            seen.add(path)
            yield Member(path, entry.size, entry.open)


@contextmanager
def _zip(archive: Path) -> Iterator[Iterator[_Entry]]:
    with zipfile.ZipFile(archive) as file:
        yield (_zip_entry(file, info) for info in sorted(file.infolist(), key=lambda info: info.header_offset))


def _zip_entry(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Entry:
    kind = stat.S_IFMT(info.external_attr >> 16)
    oddity = (
        "" if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "a link or device"
    )  # 0: packed by a system without modes
    oddity = "a file with a password" if info.flag_bits & 1 else oddity
    return _Entry(info.filename, info.file_size, info.filename.endswith("/"), oddity, partial(file.open, info))


@contextmanager
def _tar(archive: Path) -> Iterator[Iterator[_Entry]]:
    packed = archive.suffix in (".tgz", ".gz")
    with gzip.open(archive) if packed else archive.open("rb") as content:
        sips = _Sips(cast(IO[bytes], content))
        with tarfile.open(fileobj=sips, mode="r:") as file:
            yield _tar_entries(file, sips)


def _tar_entries(file: tarfile.TarFile, content: _Sips) -> Iterator[_Entry]:
    for info in file:
        plain = (info.isreg() and not info.issparse()) or info.isdir()
        content_of = partial(_tar_content, file, info)
        yield _Entry(info.name, info.size, info.isdir(), "" if plain else "a link or device", content_of)
    content.seek(file.offset)
    if content.read(BLOCK) != bytes(BLOCK):  # tarfile also ends at garbage, and where the data do
        raise tarfile.ReadError("its end is missing")
    if len(content.read(MOST_AT_ONCE)) == MOST_AT_ONCE:  # reading to the end of a packed file also checks its sum
        raise tarfile.ReadError("it goes on after its end")


def _tar_content(file: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = file.extractfile(info)
    assert content is not None, "only plain files are opened"
    return content


class _Sips(io.RawIOBase):
    """A file that is not read in large gulps: tarfile takes a header's word for how long it is."""

    def __init__(self, content: IO[bytes]) -> None:
        self.content = content

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_AT_ONCE:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self.content.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.content.seek(offset, whence)

    def tell(self) -> int:
        return self.content.tell()

    def seekable(self) -> bool:
        return True
