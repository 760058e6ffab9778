"""The one image of a TIFF file, and which of its bands are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from attseg.data.reading.bands import pick
from attseg.data.reading.pillow import from_lab
from attseg.data.reading.raw import RawImage
from attseg.data.sample import DataError

JPEG, RGB, PALETTE, YCBCR, LAB = 7, 2, 3, 6, 8
"""TIFF's numbers: of a compression, and of what values mean."""


@dataclass(frozen=True, eq=False)
class TiffImage:
    """The one image of a TIFF file, as stored.

    Args:
        values: (H, W, bands) in the dtype of the file and native byte order, upright unless that was not wanted.
        photometric: What the values mean, by TIFF's number.
        bits: Bits a value.
        alpha: Bands that are opacity, counted from 0.
        palette: (3, N) colours of 16 bits, if the values are indices.
        orientation: As stored; 1 is upright.
        compression: How the file is compressed, by TIFF's number.
        nodata: What GDAL's tag says stands for no data; None where there is no such tag.
    """

    values: npt.NDArray[Any]
    photometric: int
    bits: int
    alpha: tuple[int, ...]
    palette: npt.NDArray[np.uint16] | None
    orientation: int
    compression: int
    nodata: float | None = None

    def to_raw(self, bands: Sequence[int] | None = None) -> RawImage:
        """The bands that are read as an image: one as gray, the first three as red, green and blue; never opacity.

        Args:
            bands: Numbers of others to read instead, counted from 1, as they are stored.

        Raises:
            DataError: Two bands where none are chosen, a chosen one that is not there, or colours that are not read.
        """
        if bands is not None:
            return self._picked(bands)
        return self._as_colours()

    def _picked(self, chosen: Sequence[int]) -> RawImage:
        if self.photometric in (PALETTE, YCBCR, LAB):
            raise DataError(
                f"holds {_meaning(self.photometric)} and no bands to choose from; convert it to bands, or leave out "
                "--data.options.bands"
            )
        return RawImage(
            pick(self.values, chosen),
            self._white,
            inverted=self.photometric == 0,
            bits=self.bits,
            bands=self.values.shape[2],
            read=tuple(chosen),
            picked=True,
            orientation=self.orientation,
            nodata=self.nodata,
        )

    @property
    def _white(self) -> int | None:
        """The largest value of the type, if it says what is white."""
        return 2**self.bits - 1 if self.values.dtype.kind == "u" and self.bits <= 16 else None

    def _as_colours(self) -> RawImage:
        bands = self.values.shape[2]
        colour = [band for band in range(bands) if band not in self.alpha]
        meant = {0: 1, 1: 3 if len(colour) > 1 else 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3}.get(self.photometric)
        if meant is None:
            raise DataError(f"holds {_meaning(self.photometric)}, which is not read; convert it to RGB or gray")
        if len(colour) < meant:
            raise DataError(
                f"has {bands} bands, and images of 1 band (gray) or of 3 and more (red, green, blue first) are read; save it "
                "with the bands that are meant"
            )
        read = colour[:meant]
        values = self.values[..., read]
        if self.photometric == PALETTE:
            values = self._colours(values[..., 0])
        elif self.photometric in _CONVERTED:
            values = self._converted(values)
        return RawImage(
            values,
            255 if self.photometric in (PALETTE, *_CONVERTED) else self._white,
            inverted=self.photometric == 0,
            bits=self.bits,
            bands=bands,
            read=tuple(band + 1 for band in read),
            orientation=self.orientation,
        )

    def colours(self) -> npt.NDArray[np.uint8] | None:
        """(N, 3) The colours of the indices, if there is a palette."""
        if self.palette is None:
            return None
        eight = self.palette >> 8 if self.palette.max() > 255 else self.palette  # some writers store colours of 8 bits
        return eight.astype(np.uint8).T

    def _colours(self, indices: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        colours = self.colours()
        if colours is None or indices.dtype.kind != "u" or indices.max() >= len(colours):
            raise DataError("holds indices beyond its palette; replace or remove it")
        return colours[indices]

    def _converted(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        if values.dtype != np.uint8:
            raise DataError(
                f"holds {_meaning(self.photometric)} of {values.dtype}, and only bytes of it are read; save it as RGB"
            )
        mode = _CONVERTED[self.photometric]
        image = Image.frombytes(mode, values.shape[1::-1], np.ascontiguousarray(values).tobytes())
        return from_lab(image) if mode == "LAB" else np.array(image.convert("RGB"))


_CONVERTED = {5: "CMYK", 6: "YCbCr", 8: "LAB"}


def _meaning(photometric: int) -> str:
    from tifffile import PHOTOMETRIC

    try:
        return f"values of the kind {PHOTOMETRIC(photometric).name}"
    except ValueError:
        return f"values of the kind {photometric}"
