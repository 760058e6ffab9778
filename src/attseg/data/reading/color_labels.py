"""Label files that are read by their colours: each colour stands for a value of the class table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.data.classes import Color
from attseg.data.reading.image import RawLabels, read_raw_labels, read_tiff_file
from attseg.data.reading.lossy import LossyError, refuse_lossy
from attseg.data.reading.opening import open_picture, telling
from attseg.data.reading.tiff_image import JPEG, PALETTE, RGB, TiffImage
from attseg.data.sample import Array, DataError
from attseg.data.wording import few, percent, plural

MANY = 16
"""Unknown colours in a file from which on it looks blended, as smoothing and scaling leave it."""

READ_BY_COLOR = ", read by colour"
"""How the kind of such a label file ends."""

_KEY = 0xFFFFFF
"""Bits of the colour in a pixel of four bytes."""


@dataclass(frozen=True)
class ColorValues:
    """The value that each colour stands for.

    Args:
        values: Each colour with its value; no colour stands for two values.
        names: Each value with the name of its class, for messages.
        others: The value of every colour that is not listed; None refuses a file that holds one.
        may_ignore: Whether messages name the option that leaves unknown colours out.
    """

    values: tuple[tuple[Color, int], ...]
    names: tuple[tuple[int, str], ...] = ()
    others: int | None = None
    may_ignore: bool = True

    def know(self, pixels: Array) -> bool:
        """Whether every colour of some pixels is listed; pixels as of ``convert``."""
        return bool(self._places(pixels).min(initial=1))

    def convert(self, pixels: Array) -> npt.NDArray[Any]:
        """The values of pixels: one lookup in a table of all 2^24 colours, about 3 ms a megapixel on one core.

        Args:
            pixels: (H, W, 4) red, green, blue, and a byte that does not count.

        Returns:
            (H, W) values; bytes unless one does not fit.

        Raises:
            DataError: A colour is not known; the message is the end of a sentence that begins with the file.

        Example:
            >>> colors = ColorValues((((0, 0, 255), 0), ((255, 0, 0), 7)))
            >>> colors.convert(np.array([[[255, 0, 0, 255], [0, 0, 255, 255]]], np.uint8)).tolist()
            [[7, 0]]
        """
        places = self._places(pixels)
        listed = [value for _, value in self.values]
        values = np.array(
            [self.others or 0, *listed], np.uint8 if max([*listed, self.others or 0]) < 256 else np.uint16
        )
        if self.others is None and places.min(initial=1) == 0:
            raise DataError(self._explain(_keys(pixels)[places == 0], places.size))
        return values[places]

    def _places(self, pixels: Array) -> npt.NDArray[Any]:
        """The place of the colour of each pixel, counted from 1; 0 where it is not listed."""
        places: npt.NDArray[Any] = _table(tuple(color for color, _ in self.values))[_keys(pixels)]
        return places

    def _explain(self, unknown: npt.NDArray[np.uint32], pixels: int) -> str:
        """The unknown colours, most common first, each with its share and the class of the nearest colour."""
        found, counts = np.unique(unknown, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        told = [
            f"{_color(int(found[at]))} ({percent(int(counts[at]), pixels)}{self._near(int(found[at]))})" for at in order
        ]
        blended = (
            "So many colours are left by smoothed borders, scaling or loss: export the masks anew without these"
            if len(found) >= MANY
            else "Give each colour its class in classes.csv, or correct the file"
        )
        return (
            f"holds {plural(len(found), 'colour')} that no class has, in {percent(len(unknown), pixels)} of its pixels: "
            f"{few(told)}. {blended}"
            + "; --data.options.unknown ignore leaves such pixels out of training and of every score"
            * self.may_ignore
        )

    def _near(self, key: int) -> str:
        if not self.values:
            return ", and no class has a colour"
        color = np.array(_color(key))
        nearest, value = min(self.values, key=lambda item: int(((np.array(item[0]) - color) ** 2).sum()))
        return f", nearest is {dict(self.names).get(value, value)} {nearest}"


def read_color_labels(path: str | Path, colors: ColorValues) -> RawLabels:
    """Read a label file by its colours: RGB, RGBA that hides nothing, gray, or the colours of a palette.

    Raises:
        LossyError: The file is compressed with loss.
        DataError: The file cannot be read, is transparent in part, or holds a colour that is not known.
    """
    with telling(path):
        pixels, kind = _pixels(path)
        return RawLabels(colors.convert(pixels), False, f"{kind}{READ_BY_COLOR}")


def read_by_color_or_value(path: str | Path, colors: ColorValues, values: Collection[int]) -> RawLabels:
    """Read a label file by its colours where all of them are known, those of a palette too; else by its values.

    Args:
        path: The file.
        colors: What colours stand for.
        values: The values that are known.

    Raises:
        LossyError: The file is compressed with loss.
        DataError: The file cannot be read, holds colours alone of which one is not known, or is gray and means different values
            by its grays and by its values.
    """
    if Path(path).suffix.lower() == ".mat":
        return read_raw_labels(path)
    try:
        with telling(path):
            pixels, kind = _pixels(path)
    except DataError as error:
        try:
            raw = read_raw_labels(path)
        except DataError:
            raise error from None
        if raw.kind.startswith(("gray", "palette", "1-bit")):
            raise
        return raw  # of more than 8 bits
    if not colors.know(pixels):
        try:
            return read_raw_labels(path)
        except DataError:
            with telling(path):
                colors.convert(pixels)  # says which colours are not known
            raise
    raw = RawLabels(colors.convert(pixels), False, f"{kind}{READ_BY_COLOR}")
    if kind.startswith(("gray", "1-bit")):
        stored = read_raw_labels(path).values
        if not np.array_equal(stored, raw.values) and {*np.unique(stored).tolist()} <= {*values}:
            raise DataError(
                f"{path} is gray, and its values {few([str(v) for v in np.unique(stored)])} mean classes as numbers and other "
                "classes as colours; take the colours or the numbers of these classes out of the table"
            )
    return raw


def colors_in(path: str | Path) -> dict[Color, int]:
    """How many pixels of a label file have each colour.

    Raises:
        LossyError, DataError: As of ``read_color_labels``, but for unknown colours.
    """
    with telling(path):
        found, counts = np.unique(_keys(_pixels(path)[0]), return_counts=True)
    return {_color(int(key)): int(count) for key, count in zip(found, counts, strict=True)}


@lru_cache(maxsize=4)
def _table(colors: tuple[Color, ...]) -> npt.NDArray[Any]:
    """(2^24,) The place of each colour, counted from 1; 0 elsewhere, in memory that is not taken before it is written."""
    table = np.zeros(2**24, np.uint8 if len(colors) < 256 else np.uint16)
    table[[red | green << 8 | blue << 16 for red, green, blue in colors]] = np.arange(1, len(colors) + 1)
    return table


def _keys(pixels: Array) -> npt.NDArray[np.uint32]:
    """(H, W) The colour of each pixel as one number."""
    keys: npt.NDArray[np.uint32] = np.ascontiguousarray(pixels).view("<u4")[..., 0] & np.uint32(_KEY)
    return keys


def _pixels(path: str | Path) -> tuple[Array, str]:
    """(H, W, 4) bytes of a file, and what the file is."""
    tiff = read_tiff_file(path)
    return _of_picture(path) if tiff is None else _of_tiff(path, tiff)


def _color(key: int) -> Color:
    return key & 255, key >> 8 & 255, key >> 16


def _of_picture(path: str | Path) -> tuple[Array, str]:
    """(H, W, 4) bytes of a file that is no TIFF, and what the file is."""
    opened = open_picture(path)
    refuse_lossy(path, opened.format)
    image = opened.image
    if opened.animated:
        raise DataError("holds several frames, but a label file has one; save the labels as PNG")
    if opened.deep is not None or image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA"):
        raise DataError(f"holds colours that are not of 8 bits each (mode {image.mode}); save it as an RGB PNG")
    if opened.inverted:
        raise DataError("stores its values the other way round (0 is white); save it as an RGB PNG")
    kind = {"1": "1-bit", "L": "gray", "P": "palette"}.get(image.mode, image.mode)
    pixels = np.asarray(image.convert("RGBA"))
    if image.has_transparency_data:
        _check_opacity(pixels)
    return pixels, f"{kind} {opened.format}"


def _of_tiff(path: str | Path, tiff: TiffImage) -> tuple[Array, str]:
    if tiff.compression == JPEG:
        raise LossyError(path, "JPEG in TIFF")
    bands, alpha = tiff.values.shape[2], tiff.alpha
    shown = {1: (1, "gray") if bands < 3 else (3, "RGB"), RGB: (3, "RGB"), PALETTE: (1, "palette")}.get(
        tiff.photometric
    )
    if (
        shown is None
        or tiff.values.dtype != np.uint8
        or bands != shown[0] + len(alpha)
        or alpha not in ((), (shown[0],))
    ):
        raise DataError(
            f"holds {plural(bands, 'band')} of {tiff.values.dtype}, and label files are read by colour where they are gray, "
            "palette or RGB of 8 bits; save it as an RGB PNG"
        )
    color = tiff.to_raw().values
    opacity = tiff.values[..., -1:] if alpha else np.full((*tiff.values.shape[:2], 1), 255, np.uint8)
    pixels = np.concatenate([np.broadcast_to(color, (*color.shape[:2], 3)), opacity], axis=2)
    if alpha:
        _check_opacity(pixels)
    return pixels, f"{shown[1]}{'A' * len(alpha)} TIFF"


def _check_opacity(pixels: Array) -> None:
    """Refuse transparency that makes the colours of a mask ambiguous.

    Raises:
        DataError: A pixel is transparent in part; or transparent pixels have another colour than black, or one that opaque
            pixels have too.
    """
    opacity = pixels[..., 3]
    if opacity.min() == 255:
        return
    hidden = opacity == 0
    if not (hidden | (opacity == 255)).all():
        raise DataError(
            "has pixels that are transparent in part, so their colours are blended; save it without transparency"
        )
    black = (pixels[..., :3] == 0).all(-1)
    if (hidden & ~black).any() or (black & ~hidden).any():
        raise DataError(
            "has transparent pixels, and whether their stored colour or nothing is meant cannot be seen; save it without "
            "transparency, with a colour for each class"
        )
