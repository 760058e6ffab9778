"""From a picture file to a decoded picture of Pillow, without anything else that Pillow can do.

Pillow reads some fifty formats, one of them (EPS) by running another program, and takes a PNG whose bytes changed on the way
where it can still be unpacked. Here only formats of photographs and masks are tried, and a PNG has to fit its checksums.
"""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from attseg.data.reading.content import refuse_special
from attseg.data.sample import DataError

MAX_PIXELS = 2**26
"""Largest picture that is read, 8192 x 8192: larger ones do not fit a network, and a small file may claim any size."""

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000", "AVIF", "TGA")
"""Formats that are tried, as Pillow calls them; the last one has no mark of its own."""

ImageSource = str | Path | bytes | BinaryIO | Image.Image

CHUNK = 2**20


class Opened(NamedTuple):
    """A picture, decoded and upright.

    Args:
        image: The picture.
        most: Largest value of gray that the file can hold, where Pillow stretches the values to fill 8 or 16 bits.
        white: Value of white, where the file says it and the mode of the picture does not.
        inverted: Whether the file stores gray the other way round, with 0 for white.
        format: What Pillow calls the format of the file, such as "PNG"; empty where no file was read.
    """

    image: Image.Image
    most: int | None = None
    white: int | None = None
    inverted: bool = False
    format: str = ""


def open_picture(source: ImageSource) -> Opened:
    """Open, check and decode; a file that was opened here is closed.

    Raises:
        DataError: There is no such file, it is empty, broken or no picture, or it has more than ``MAX_PIXELS`` pixels.
    """
    name = name_of(source)
    try:
        if isinstance(source, Image.Image):
            return Opened(_upright(source))
        if isinstance(source, str | Path):
            refuse_special(source)
        with Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
            kind = _kind(image)
            if image.format == "PNG" and image.fp is not None:
                _refuse_too_large(image)
                _check_sums(image.fp)
            return kind._replace(image=_upright(image), format=image.format or "")
    except DataError as error:
        raise DataError(str(error) if str(error).startswith(name) else f"{name} {error}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"{name} {_too_large('far too many')}") from None
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise DataError(f"{name} cannot be read as a picture: {_reason(source, error)}") from error


def name_of(source: ImageSource) -> str:
    """What a message calls a picture."""
    if isinstance(source, str | Path):
        return str(source)
    if isinstance(source, bytes):
        return f"the picture given as {len(source)} bytes"
    return str(getattr(source, "filename", None) or getattr(source, "name", None) or "the given picture")


def _upright(image: Image.Image) -> Image.Image:
    _refuse_too_large(image)
    return ImageOps.exif_transpose(image)


def _refuse_too_large(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise DataError(_too_large(f"{image.width} x {image.height}"))


def _kind(image: ImageFile.ImageFile) -> Opened:
    """How the file holds its values, which is known only before it is decoded."""
    if not image.tile:
        return Opened(image)
    args = image.tile[0].args
    raw, *rest = args if isinstance(args, tuple) else (args,)
    if image.format == "PPM":  # stretched where the file says that its white is none of 255 and 65535
        most = rest[0] if len(rest) == 1 and isinstance(rest[0], int) else None
        return Opened(image, most=most, white=65535 if image.mode == "I" else None)
    if not isinstance(raw, str):
        return Opened(image)
    bits = re.match(r"L;([24])", raw)
    return Opened(
        image,
        most=2 ** int(bits[1]) - 1 if bits else None,
        white=4095 if raw == "I;12" else None,
        inverted=re.fullmatch(r"L(;[24])?;?IR?", raw) is not None,
    )


def _check_sums(file: IO[bytes]) -> None:
    """Compare every part of a PNG with its checksum, as decoding does not: a wrong byte may give wrong pixels silently."""
    place = file.tell()
    file.seek(8)
    kind = b""
    while kind != b"IEND":
        head = file.read(8)
        length, kind = int.from_bytes(head[:4]), head[4:]
        found = zlib.crc32(kind)
        while length and (part := file.read(min(length, CHUNK))):
            found, length = zlib.crc32(part, found), length - len(part)
        stated = file.read(4)
        if len(head) < 8 or length or len(stated) < 4:
            raise DataError("cannot be read as a picture: its end is missing; replace or remove it")
        if int.from_bytes(stated) != found:
            raise DataError("cannot be read as a picture: its content does not fit its checksum; replace or remove it")
    file.seek(place)


def _reason(source: ImageSource, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, UnidentifiedImageError):
        what = (
            "it is empty (0 bytes)" if _is_empty(source) else "its content is of no picture format that is known here"
        )
        return f"{what}; replace or remove it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{str(error) or type(error).__name__}; replace or remove it"


def _is_empty(source: ImageSource) -> bool:
    if isinstance(source, str | Path):
        return Path(source).stat().st_size == 0
    return source == b""


def _too_large(given: str) -> str:
    return f"has {given} pixels; at most {MAX_PIXELS} (8192 x 8192) are read: scale it down, or cut it into tiles"
