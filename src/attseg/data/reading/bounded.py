"""Bounds on the work that an image file can ask of a decoder beyond its pixels and its bytes.

The cost of most formats is linear in pixels and bytes, and both are limited elsewhere. What remains are files of very many tiny
pieces, and pieces that each cost a pass over the whole image or a decompression. No camera and no program writes them.
"""

from __future__ import annotations

import io
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from attseg.data.sample import DataError
from attseg.files import open_file

READS = 50_000
"""Reads that decoding any file may take; a file of n bytes gets n / ``BYTES_PER_READ`` more.

Decoders read once or more for each chunk, block or marker, and 64 KiB at a time otherwise.
"""

BYTES_PER_READ = 100
"""The blocks of a GIF have 255 bytes, and Pillow reads twice for each."""

SCANS = 100
"""Scans of a JPEG. libjpeg's own progressive script writes 10; each scan is a pass over all pixels, and may take 9 bytes."""

MARKERS = 10_000
"""Markers of a JPEG without its restarts; metadata, profiles and previews take tens."""

HEADER = 4 * 2**20
"""Bytes of the header box of a JPEG 2000 file, whose largest part is a colour profile."""

COMMENTS = 100
"""Comments in a plain PGM or PPM, each of which costs Pillow a copy of up to a megabyte."""

BLOCK = 2**20

MARKERS_PER_STREAM = 20
"""Markers that each JPEG stream of a TIFF may have besides; a baseline stream has up to 12."""

_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length: TEM, RST0 to RST7, SOI
_SOS, _EOI = 0xDA, 0xD9


class _CountedFile(io.BufferedReader):
    """A file that refuses to be read in too many pieces."""

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__(raw, 2**16)
        self._left = READS + self.seek(0, os.SEEK_END) // BYTES_PER_READ
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise DataError(_costly("it consists of too many small pieces"))
        return super().read(size)


@contextmanager
def bounded(source: str | Path | bytes | BinaryIO) -> Iterator[BinaryIO]:
    """Open an image file so that decoding it takes time linear in its bytes and pixels.

    Args:
        source: A path, the content of a file, or an open file, which is read from its beginning and stays open.

    Raises:
        DataError: Decoding the file would be out of proportion to its size.
        OSError: It cannot be read.
    """
    if isinstance(source, str | Path):
        raw: io.RawIOBase = open_file(source, buffering=0)
    else:
        if not isinstance(source, bytes):
            if source.seekable():
                source.seek(0)
            source = source.read()
        raw = cast(io.RawIOBase, io.BytesIO(source))
    with _CountedFile(raw) as file:
        head = file.read(64)
        file.seek(0)
        if head.startswith(b"\xff\xd8\xff"):
            Pieces().add(file.read())
        elif head[:2] in (b"P1", b"P2", b"P3"):
            _check_comments(file)
        elif head.startswith(b"BM"):
            _check_compression(head)
        elif head.startswith(b"\x89PNG\r\n\x1a\n"):
            _check_png(file)
        elif head[4:8] == b"jP  ":
            _check_header(file)
        file.seek(0)
        yield file


class Pieces:
    """Counts what the JPEG streams of one file consist of; entropy-coded data holds no marker but restarts."""

    def __init__(self) -> None:
        self._markers = 0

    def add(self, content: bytes) -> None:
        """Count one stream.

        Raises:
            DataError: It has more than ``SCANS`` scans, or all streams together have more than ``MARKERS`` markers and
                ``MARKERS_PER_STREAM`` in each.
        """
        scans, at = 0, 2
        self._markers -= MARKERS_PER_STREAM
        while found := _MARKER.search(content, at):
            marker, at = found[1][0], found.end()
            if found.end() - found.start() > READS:
                raise DataError(_costly("a marker is padded without end"))
            if marker == _EOI:
                return
            if marker in _ALONE:
                continue
            self._markers += 1
            scans += marker == _SOS
            if scans > SCANS or self._markers > MARKERS:
                raise DataError(
                    _costly(f"it has more than {f'{SCANS} scans' if scans > SCANS else f'{MARKERS} markers'}")
                )
            at += int.from_bytes(content[at : at + 2])


def _check_comments(file: BinaryIO) -> None:
    comments = 0
    while block := file.read(BLOCK):
        comments += block.count(b"#")
        if comments > COMMENTS:
            raise DataError(_costly(f"it has more than {COMMENTS} comments"))


def _check_compression(head: bytes) -> None:
    """Pillow decodes run lengths pixel by pixel in Python: 26 kB take 5 s."""
    old = int.from_bytes(head[14:18], "little") == 12
    if not old and int.from_bytes(head[30:34], "little") in (1, 2):
        raise DataError("is a BMP with run-length encoding, which is not read; save it as PNG")


def _check_png(file: BinaryIO) -> None:
    """Compare every part of a PNG with its checksum, as decoding does not: a wrong byte may give wrong pixels silently.

    Colour profiles by the thousand, each of which is unpacked to a megabyte when the file is opened, are refused.
    """
    file.seek(8)
    profiles, kind = 0, b""
    while kind != b"IEND":
        head = file.read(8)
        length, kind = int.from_bytes(head[:4]), head[4:]
        profiles += kind == b"iCCP"
        if profiles > 1:
            raise DataError(_costly("it has more than one colour profile"))
        found = zlib.crc32(kind)
        while length and (part := file.read(min(length, BLOCK))):
            found, length = zlib.crc32(part, found), length - len(part)
        stated = file.read(4)
        if len(head) < 8 or length or len(stated) < 4:
            raise DataError("cannot be read as a picture: its end is missing; replace or remove it")
        if int.from_bytes(stated) != found:
            raise DataError("cannot be read as a picture: its content does not fit its checksum; replace or remove it")


def _check_header(file: BinaryIO) -> None:
    """Refuse a JPEG 2000 file with a huge header, which Pillow takes apart in memory."""
    while len(head := file.read(8)) == 8:
        length, kind = int.from_bytes(head[:4]), head[4:]
        if length == 1:
            length = int.from_bytes(file.read(8)) - 8
        if kind == b"jp2h" and not 0 < length <= HEADER:
            raise DataError(_costly(f"its header has more than {HEADER} bytes"))
        if kind in (b"jp2h", b"jp2c") or length < 8:
            return
        file.seek(length - 8, os.SEEK_CUR)


def _costly(why: str) -> str:
    return f"is refused, since decoding would take too long for its size: {why}; save it anew, as PNG for example"
