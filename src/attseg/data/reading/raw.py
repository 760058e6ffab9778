"""An image as its file holds it: the values of the bands that are read, and what the file says about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.data.reading.bands import scale_bands
from attseg.data.reading.value_range import ValueRange, to_bytes
from attseg.data.sample import Array


@dataclass(frozen=True, eq=False)
class RawImage:
    """An image before its values are scaled.

    Args:
        values: (H, W, 1) gray or (H, W, 3) red, green and blue, of the dtype of the file; (H, W, C) where bands were chosen.
        white: Largest value of the type, if it says what is white: None for floats, signed integers, and 32 bits and more.
        inverted: Whether the file stores gray the other way round, with 0 for white.
        bits: Bits a value.
        bands: Bands in the file.
        read: Which of them are read, counted from 1.
        animated: Whether the file has several frames, of which the first is read.
        orientation: Of EXIF, as stored; 1 is upright.
        opacity: (H, W, 1) in 0..1, which is laid on white; None where all is opaque, or white lies below it already.
        transparent: Whether there are transparent pixels.
        nodata: What the file says stands for no data; None where it does not.
        picked: Whether bands were chosen.
    """

    values: npt.NDArray[Any]
    white: int | None = 255
    inverted: bool = False
    bits: int = 8
    bands: int = 3
    read: tuple[int, ...] = (1, 2, 3)
    animated: bool = False
    orientation: int = 1
    opacity: npt.NDArray[np.float32] | None = None
    transparent: bool = False
    nodata: float | None = None
    picked: bool = False

    def to_rgb(self, value_range: ValueRange | None) -> Array:
        """(H, W, 3) Red, green and blue in 0..255.

        Raises:
            DataError: As of ``to_bytes``.
        """
        scaled = to_bytes(self.values, self.white, value_range)
        if self.inverted:
            scaled = 255 - scaled
        if self.opacity is not None:
            scaled = np.rint(255 - self.opacity * (255 - scaled.astype(np.float32))).astype(np.uint8)
        return np.repeat(scaled, 3, axis=2) if scaled.shape[2] == 1 else np.ascontiguousarray(scaled)

    def to_bands(
        self, value_range: ValueRange | None, fill: Sequence[int] = ()
    ) -> tuple[Array, npt.NDArray[np.bool_] | None]:
        """Chosen bands as bytes (H, W, C), and which pixels hold no data (H, W), None where all do.

        Raises:
            DataError: As of ``scale_bands``.
        """
        nodata = (self.nodata,) * self.values.shape[2]
        if not self.inverted:
            return scale_bands(self.values, self.white, value_range, fill=fill, nodata=nodata)
        turned = [255 - value for value in fill]
        scaled, without = scale_bands(self.values, self.white, value_range, fill=turned, nodata=nodata)
        return 255 - scaled, without

    @property
    def remarks(self) -> list[str]:
        """Parts of the file that are not read, as sentences without a subject."""
        said = []
        if self.bands > len(self.read) and not self.picked:
            chosen = ", ".join(map(str, self.read))
            said.append(
                f"has {self.bands} bands, of which band {chosen} is read as gray"
                if len(self.read) == 1
                else f"has {self.bands} bands, of which {chosen} are read as red, green and blue"
            )
        if self.transparent:
            said.append("has transparent pixels, which are read as if they lay on white")
        if self.animated:
            said.append("has several frames, of which the first is read")
        return said


UPRIGHT = {
    2: lambda values: values[:, ::-1],
    3: lambda values: values[::-1, ::-1],
    4: lambda values: values[::-1],
    5: lambda values: values.swapaxes(0, 1),
    6: lambda values: values[::-1].swapaxes(0, 1),
    7: lambda values: values[::-1, ::-1].swapaxes(0, 1),
    8: lambda values: values[:, ::-1].swapaxes(0, 1),
}
"""Turns values (H, W, ..) upright, by the orientation of EXIF and TIFF."""


def upright(values: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Values (H, W, ..) turned upright; unknown orientations change nothing.

    Example:
        >>> upright(np.array([[1, 2], [3, 4]]), 6).tolist()
        [[3, 1], [4, 2]]
    """
    return UPRIGHT[orientation](values) if orientation in UPRIGHT else values
