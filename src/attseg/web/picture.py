"""Pictures as they are shown and seen: from strangers' files, with sizes bounded before anything is decoded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from attseg.data.preprocessing import Preprocessing
from attseg.data.reading.bands import resized, visible
from attseg.data.reading.bounded import bounded
from attseg.data.reading.opening import FORMATS
from attseg.data.reading.tiff import is_tiff
from attseg.data.sample import Array, DataError
from attseg.models.frame import SMALLEST
from attseg.web.limits import Limits

THUMBNAIL = 160
"""Longest side of a thumbnail."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, ready to be seen.

    Args:
        name: What it is called.
        image: (H, W, C) as models see it.
        original: Height and width as it came.
        labels: (H, W) of a generated scene.
    """

    name: str
    image: Array
    original: tuple[int, int]
    labels: Array | None = None


def read_picture(
    content: bytes, name: str, limits: Limits, preprocessing: Preprocessing | None = None, *, draft: bool = False
) -> Picture:
    """Read a picture from the content of a file.

    Args:
        content: Of the file.
        name: What it is called, for messages too.
        limits: ``pixels``, ``seen_pixels`` and ``seen_side`` count here.
        preprocessing: By whose value range and bands the models read it; None reads red, green and blue.
        draft: Read a large JPEG at a fraction of its size, for a thumbnail.

    Raises:
        DataError: It is no picture, broken, of a format that is not read here, or too large.
    """
    reading = preprocessing or Preprocessing()
    file = _Named(name, content)
    if is_tiff(file):
        return fit(name, reading.read(file, max_pixels=limits.pixels), limits)
    try:
        with bounded(content) as opened, Image.open(opened, formats=FORMATS) as image:  # reads the head alone
            if image.width * image.height > limits.pixels:
                raise DataError(_too_large(name, f"{image.height} x {image.width}", limits))
            if draft and image.format == "JPEG" and reading.bands is None:
                image.draft("RGB", (THUMBNAIL, THUMBNAIL))
                return fit(name, reading.read(image), limits)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(_too_large(name, "far too many", limits)) from None
    except UnidentifiedImageError:
        raise DataError(
            f"{name} is no picture of a format that is read here; give TIFF, {', '.join(FORMATS)}"
        ) from None
    except DataError as error:
        raise DataError(str(error) if str(error).startswith(name) else f"{name} {error}") from None
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise DataError(f"{name} cannot be read as a picture: {error or type(error).__name__}") from error
    return fit(name, reading.read(file, max_pixels=limits.pixels), limits)


class _Named(BytesIO):
    """Content with a name, which messages of readers say."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


def fit(name: str, image: Array, limits: Limits) -> Picture:
    """A picture (H, W, C), scaled down where it is larger than what is seen.

    Networks see at least 32 pixels in each direction, which counts: a line of 1 x 30,000 takes as much as 32 x 30,000.
    """
    height, width = image.shape[:2]
    scale = min(1.0, limits.seen_side / max(height, width))
    if _cost(height, width, scale) > limits.seen_pixels:
        low, high = 0.0, scale
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if _cost(height, width, middle) > limits.seen_pixels else (middle, high)
        scale = low
    if scale < 1.0:
        size = (max(1, math.floor(width * scale)), max(1, math.floor(height * scale)))
        if image.shape[2] == 3:
            image = np.array(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0))
        else:
            image = resized(image, (size[1], size[0]), Image.Resampling.BICUBIC)
    return Picture(name, image, (height, width))


def _cost(height: int, width: int, scale: float) -> float:
    """Pixels that a network sees of a picture at some scale."""
    return max(SMALLEST, math.floor(height * scale)) * max(SMALLEST, math.floor(width * scale))


def _too_large(name: str, given: str, limits: Limits) -> str:
    return f"{name} has {given} pixels; at most {limits.pixels / 1e6:g} million are read: scale it down, or cut it"


def thumbnail(image: Array) -> bytes:
    """A small JPEG of a picture."""
    picture = Image.fromarray(visible(image))
    picture.thumbnail((THUMBNAIL, THUMBNAIL), reducing_gap=2.0)
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
