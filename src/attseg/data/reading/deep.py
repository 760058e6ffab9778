"""Colours of more than 8 bits in PNG, JPEG 2000 and PPM files, which Pillow would cut to 8."""

from __future__ import annotations

from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import ImageFile

from attseg.data.sample import DataError

MAX_CONTENT = 2**30
"""Bytes of a file that is decoded here."""

_CODESTREAM = b"\xff\x4f\xff\x51"
"""How a JPEG 2000 codestream begins, with its sizes."""


class DeepValues(NamedTuple):
    """Values of an image as they are stored.

    Args:
        values: (H, W, bands).
        white: Largest value that they can have.
        alpha: Whether the last band is opacity.
    """

    values: npt.NDArray[Any]
    white: int
    alpha: bool


def read_deep(image: ImageFile.ImageFile) -> DeepValues | None:
    """The values of a file that Pillow has opened and not yet decoded; None where Pillow keeps all bits of it.

    Raises:
        DataError: The file is larger than 1 GiB, or holds signed values.
    """
    if not image.tile or image.fp is None:
        return None
    args = image.tile[0].args
    if image.format == "PNG" and str(args).endswith(";16B") and image.mode in ("RGB", "RGBA"):
        from imagecodecs import png_decode

        values = png_decode(_content(image.fp))
        alpha = values.shape[2] in (2, 4)
        if isinstance(clear := image.info.get("transparency"), tuple) and not alpha:
            opaque = (values != np.array(clear, np.uint16)).any(2, keepdims=True)
            values, alpha = np.dstack([values, opaque * np.uint16(65535)]), True
        return DeepValues(values, 65535, alpha)
    if image.format == "JPEG2000" and (bits := _bits_of_jpeg2000(image.fp)) > 8:
        from imagecodecs import jpeg2k_decode

        values = jpeg2k_decode(_content(image.fp))
        if values.dtype.kind != "u":
            raise DataError(f"holds {values.dtype} values, which are not read from JPEG 2000; save it as TIFF")
        return DeepValues(values[..., None] if values.ndim == 2 else values, 2**bits - 1, False)
    if image.format == "PPM" and image.mode == "RGB" and image.tile[0].codec_name == "ppm" and isinstance(args, tuple):
        white = int(args[1])
        if white <= 255:
            return None
        image.fp.seek(image.tile[0].offset)
        content = image.fp.read(6 * image.width * image.height)
        values = np.frombuffer(content, ">u2").reshape(image.height, image.width, 3).astype(np.uint16)
        return DeepValues(np.minimum(values, np.uint16(white)), white, False)
    return None


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    content = file.read(MAX_CONTENT + 1)
    if len(content) > MAX_CONTENT:
        raise DataError(f"has more than {MAX_CONTENT} bytes; scale it down, or cut it into tiles")
    return content


def _bits_of_jpeg2000(file: IO[bytes]) -> int:
    """Bits a value of the first band, from the header."""
    place = file.tell()
    file.seek(0)
    head = file.read(2**16)
    file.seek(place)
    at = head.find(_CODESTREAM)
    return (head[at + 42] & 0x7F) + 1 if 0 <= at < len(head) - 42 else 8
