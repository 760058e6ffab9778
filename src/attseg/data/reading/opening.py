"""From a picture file to a decoded picture of Pillow, without anything else that Pillow can do.

Pillow reads some fifty formats, one of them (EPS) by running another program, and takes a PNG whose bytes changed on the way
where it can still be unpacked. Here only formats of photographs and masks are tried, and a PNG has to fit its checksums.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from attseg.data.reading.bounded import bounded
from attseg.data.reading.content import refuse_special
from attseg.data.reading.deep import DeepValues, read_deep
from attseg.data.reading.raw import upright
from attseg.data.sample import DataError
from attseg.files import open_file

MAX_PIXELS = 2**26
"""Largest picture that is read, 8192 x 8192: larger ones do not fit a network, and a small file may claim any size."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "PPM", "JPEG2000", "AVIF", "TGA")
"""Formats that are tried, as Pillow calls them; the last one has no mark of its own. TIFF is read by ``tiff``."""

ImageSource = str | Path | bytes | BinaryIO | Image.Image

_ORIENTATION = 0x0112
"""EXIF's tag."""


class Opened(NamedTuple):
    """An image file that Pillow has decoded.

    Args:
        image: The image, upright unless that was not wanted.
        most: Largest value of gray that the file can hold, where Pillow stretches the values to fill 8 or 16 bits.
        inverted: Whether the file stores gray the other way round, with 0 for white.
        format: What Pillow calls the format of the file, such as "PNG"; empty where no file was read.
        deep: The values as stored, where Pillow would cut them to 8 bits; turned as the image.
        animated: Whether there are further frames.
        orientation: Of EXIF, as stored; 1 is upright.
    """

    image: Image.Image
    most: int | None = None
    inverted: bool = False
    format: str = ""
    deep: DeepValues | None = None
    animated: bool = False
    orientation: int = 1


def open_picture(source: ImageSource, *, apply_orientation: bool = True, max_pixels: int = MAX_PIXELS) -> Opened:
    """Open, check and decode an image that is no TIFF; a file that was opened here is closed.

    Args:
        source: A path, the content of a file, an open file, or a picture of Pillow.
        apply_orientation: Whether the image is turned upright by its EXIF orientation.
        max_pixels: Height times width of the largest image that is read.

    Raises:
        DataError: There is no such file, it is empty, broken or no picture, or it has more than ``max_pixels`` pixels.
    """
    with telling(source, max_pixels):
        if isinstance(source, Image.Image):
            check_size(source.width, source.height, max_pixels)
            return _turned(Opened(source, format=source.format or ""), apply_orientation)
        with bounded(source) as file, Image.open(file, formats=FORMATS) as image:
            check_size(image.width, image.height, max_pixels)
            opened = _kind(image)
            animated = image.format != "MPO" and getattr(image, "is_animated", False)
            opened = opened._replace(format=image.format or "", deep=read_deep(image), animated=animated)
            return _turned(opened, apply_orientation)


@contextmanager
def telling(source: ImageSource, max_pixels: int = MAX_PIXELS) -> Iterator[None]:
    """Whatever goes wrong with an image within the block is said in a sentence that begins with its name.

    Raises:
        DataError: Something went wrong.
    """
    name = name_of(source)
    try:
        if isinstance(source, str | Path):
            refuse_special(source)
        yield
    except DataError as error:
        raise DataError(str(error) if str(error).startswith(name) else f"{name} {error}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"{name} {_too_large('far too many', max_pixels)}") from None
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise DataError(f"{name} cannot be read as a picture: {_reason(source, error)}") from error


def _turned(opened: Opened, apply: bool) -> Opened:
    """The same, decoded, and upright if that is wanted."""
    opened.image.load()
    orientation = int(opened.image.getexif().get(_ORIENTATION, 1) or 1)
    if not apply:
        return opened._replace(orientation=orientation)
    deep = opened.deep and opened.deep._replace(values=upright(opened.deep.values, orientation))
    return opened._replace(image=ImageOps.exif_transpose(opened.image), deep=deep, orientation=orientation)


def name_of(source: ImageSource) -> str:
    """Name of an image in messages."""
    if isinstance(source, str | Path):
        return str(source)
    if isinstance(source, bytes):
        return f"the picture given as {len(source)} bytes"
    return str(getattr(source, "filename", None) or getattr(source, "name", None) or "the given picture")


def check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Refuse an image of more than ``most`` pixels.

    Raises:
        DataError: It is larger; the message is the end of a sentence that begins with the file.
    """
    if width * height > most:
        raise DataError(_too_large(f"{height} x {width}", most))


def _kind(image: ImageFile.ImageFile) -> Opened:
    """How the file holds its values, which is known only before it is decoded."""
    if not image.tile:
        return Opened(image)
    args = image.tile[0].args
    raw, *rest = args if isinstance(args, tuple) else (args,)
    if image.format == "PPM":  # stretched where the file says that its white is none of 255 and 65535
        most = rest[0] if len(rest) == 1 and isinstance(rest[0], int) else None
        return Opened(image, most=most, inverted=raw == "1;I")
    if not isinstance(raw, str):
        return Opened(image)
    bits = re.match(r"L;([24])", raw)
    return Opened(
        image, most=2 ** int(bits[1]) - 1 if bits else None, inverted=re.fullmatch(r"L(;[24])?;?IR?", raw) is not None
    )


def _reason(source: ImageSource, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, UnidentifiedImageError):
        head = _head(source)
        if not head:
            return "it is empty (0 bytes); replace or remove it"
        known = (reason for mark, reason in _NO_IMAGES.items() if mark in head.lower())
        return next(known, "its content is of no picture format that is known here; replace or remove it")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{str(error) or type(error).__name__}; replace or remove it"


_NO_IMAGES = {
    b"version https://git-lfs": "it is a pointer of Git LFS that stands for the image; fetch the image itself: git lfs pull",
    b"<!doctype html": "it is a web page, as a download leaves it that failed; fetch it again",
    b"<html": "it is a web page, as a download leaves it that failed; fetch it again",
    b"ftyphe": "it is HEIC, which is not read; convert it to JPEG or PNG",
    b"ftypmif1": "it is HEIF, which is not read; convert it to JPEG or PNG",
    b"jxl ": "it is JPEG XL, which is not read; convert it to JPEG or PNG",
    b"%pdf": "it is a PDF; save its pages as PNG",
    b"<svg": "it is a drawing (SVG); save it as PNG",
}
"""Bytes near the beginning of files that are often taken for images, in lower case, with their kind."""


def _head(source: ImageSource) -> bytes:
    """The first bytes of a file that is no image."""
    if isinstance(source, str | Path):
        with open_file(source) as file:
            return file.read(64)
    if isinstance(source, bytes):
        return source[:64]
    return b"?"


def _too_large(given: str, most: int) -> str:
    limit = f"{most} (8192 x 8192)" if most == MAX_PIXELS else f"{most / 1e6:g} million"
    return f"has {given} pixels; at most {limit} are read: scale it down, or cut it into tiles"
