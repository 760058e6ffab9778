"""Reading picture and label files: whatever a file holds comes out as plain bytes, or a sentence says why it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from attseg.data.classes import ClassTable
from attseg.data.reading.bands import Bands
from attseg.data.reading.label_values import count_values, explain_unknown
from attseg.data.reading.lossy import LossyError, refuse_lossy
from attseg.data.reading.matlab import read_matlab_labels
from attseg.data.reading.opening import MAX_PIXELS, ImageSource, open_picture, telling
from attseg.data.reading.pillow import as_stored, bands_of_pillow, from_pillow
from attseg.data.reading.raw import RawImage
from attseg.data.reading.tiff import is_tiff, read_tiff
from attseg.data.reading.tiff_image import JPEG, PALETTE, TiffImage
from attseg.data.reading.value_range import ValueRange
from attseg.data.sample import Array, DataError
from attseg.files import open_file


def read_image(
    source: ImageSource,
    *,
    value_range: ValueRange | None = None,
    bands: Bands | None = None,
    apply_orientation: bool = True,
    max_pixels: int = MAX_PIXELS,
) -> Array:
    """Read an image as red, green and blue bytes, or chosen bands of it.

    What a value means never depends on the content of one file: 0..255 in 8 bits, 0..65535 in 16 bits, or ``value_range``. Of
    more than three bands the first three are read, of an animation the first frame. Transparent pixels are laid on white, but
    a band of a TIFF or JPEG 2000 file beyond the third is never taken for transparency.

    Args:
        source: A path, the content of a file, an open file, or a picture of Pillow in any mode.
        value_range: The values that are black and white, which types without a range of their own (floats, signed integers,
            32 bits) need; with ``bands``, two numbers for all of them or for each.
        bands: Bands to read as they are stored, instead of red, green and blue; values beyond their range become its ends.
        apply_orientation: Whether the image is turned upright by its EXIF orientation.
        max_pixels: Height times width of the largest image that is read.

    Returns:
        (H, W, 3) red, green, blue in 0..255; (H, W, C) the chosen bands.

    Raises:
        DataError: There is no such file, it is empty, broken, too large or no image, or it holds several pages, values beyond
            the range, or colours of which none is visible.

    Example:
        >>> read_image(Image.new("LA", (4, 2), (0, 0)))[0, 0].tolist()
        [255, 255, 255]
    """
    numbers = None if bands is None else bands.numbers
    raw = read_raw(source, bands=numbers, apply_orientation=apply_orientation, max_pixels=max_pixels)
    with telling(source):
        return raw.to_rgb(value_range) if bands is None else raw.to_bands(value_range, bands.fill)[0]


def read_raw(
    source: ImageSource,
    *,
    bands: Sequence[int] | None = None,
    apply_orientation: bool = True,
    max_pixels: int = MAX_PIXELS,
) -> RawImage:
    """Read an image with the values of its file, and what the file says about them.

    Args:
        source: As of ``read_image``.
        bands: Numbers of the bands to read, counted from 1; None reads gray, or red, green and blue.
        apply_orientation: As of ``read_image``.
        max_pixels: As of ``read_image``.

    Raises:
        DataError: As of ``read_image``, but for values beyond the range.
    """
    with telling(source, max_pixels):
        if (tiff := read_tiff_file(source, apply_orientation, max_pixels)) is not None:
            return tiff.to_raw(bands)
        opened = open_picture(source, apply_orientation=apply_orientation, max_pixels=max_pixels)
        return from_pillow(opened) if bands is None else bands_of_pillow(opened, bands)


def read_tiff_file(
    source: ImageSource, apply_orientation: bool = True, max_pixels: int = MAX_PIXELS
) -> TiffImage | None:
    """The image of a TIFF file; None of any other."""
    if isinstance(source, TiffImageFile) and source.tile and source.fp is not None and source.tell() == 0:
        source.fp.seek(0)  # not yet decoded, so that its file says what Pillow's mode does not
        return read_tiff(source.fp, apply_orientation=apply_orientation, max_pixels=max_pixels)
    if isinstance(source, Image.Image):
        return None
    with (
        nullcontext(source)
        if not isinstance(source, str | Path | bytes)
        else (BytesIO(source) if isinstance(source, bytes) else open_file(source)) as file
    ):
        if not is_tiff(file):
            return None
        return read_tiff(file, apply_orientation=apply_orientation, max_pixels=max_pixels)


class RawLabels(NamedTuple):
    """The values of a label file as they are.

    Args:
        values: (H, W) integers; bytes unless a value does not fit into one.
        paletted: Whether the file shows its values as colours of a palette.
        kind: What the file is: "gray PNG", "palette PNG", "32-bit TIFF", "MATLAB".
        palette: (N, 3) The colours of the indices, if it has a palette.
    """

    values: npt.NDArray[Any]
    paletted: bool
    kind: str
    palette: Array | None = None


def read_labels(path: str | Path, classes: ClassTable, *, official: bool = False) -> Array:
    """Read a label file as classes; of a file with a palette, the indices count and not the colours.

    Args:
        path: A file with one value a pixel: gray or palette, of any depth; or a MATLAB file of SBD.
        classes: What the values mean.
        official: Whether the file is one of a public data set, for advice where it is wrong.

    Returns:
        (H, W) classes 0..K-1, and 255 where ignored.

    Raises:
        DataError: The file cannot be read, holds colours, or holds values that ``classes`` does not know.
    """
    return decode_labels(path, read_raw_labels(path), classes, official=official)


def decode_labels(path: str | Path, raw: RawLabels, classes: ClassTable, *, official: bool = False) -> Array:
    """The classes that the values of a label file mean; arguments, result and errors as of ``read_labels``."""
    if (labels := classes.decode(raw.values)) is None:
        problem = explain_unknown(count_values(raw.values), classes, paletted=raw.paletted, official=official)
        raise DataError(f"{path}: {problem}")
    return labels


def read_raw_labels(path: str | Path) -> RawLabels:
    """Read the values of a label file without asking what they mean.

    Raises:
        LossyError: The file is compressed with loss.
        DataError: The file cannot be read, or it holds colours, transparency or fractions.
    """
    if Path(path).suffix.lower() == ".mat":
        return RawLabels(_as_bytes(read_matlab_labels(path)), False, "MATLAB")
    with telling(path):
        tiff = read_tiff_file(path)
    if tiff is not None:
        return _raw_labels_of_tiff(path, tiff)
    opened = open_picture(path)
    refuse_lossy(path, opened.format)
    image = opened.image
    if opened.format == "WEBP" and image.mode == "RGB" and _is_gray(np.asarray(image)):
        image = image.getchannel(0)  # WebP has no gray of its own
    if opened.animated:
        raise DataError(f"{path} holds several frames, but a label file has one; save the labels as a gray PNG")
    if image.mode not in ("1", "L", "P", "I") and not image.mode.startswith("I;16"):
        what, advice = _REFUSED.get(image.mode, ("colours", _advise_on_colors(np.atleast_3d(np.asarray(image)))))
        raise DataError(
            f"{path} holds {what} (mode {image.mode}), but a label file has one whole number a pixel. {advice}"
        )
    if opened.inverted:
        raise DataError(_INVERTED.format(path))
    values = np.array(image) if opened.deep is None else opened.deep.values[..., 0]
    depth = {"1": "1-bit", "L": "gray", "P": "palette", "I": "32-bit"}.get(image.mode, "16-bit")
    palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3) if image.mode == "P" else None
    kind = f"{depth} {opened.format}"
    return RawLabels(_as_bytes(as_stored(values, opened.most)), palette is not None, kind, palette)


def _raw_labels_of_tiff(path: str | Path, tiff: TiffImage) -> RawLabels:
    if tiff.compression == JPEG:
        raise LossyError(path, "JPEG in TIFF")
    bands, kind = tiff.values.shape[2], tiff.values.dtype.kind
    wrong, advice = "", ""
    if kind == "f":
        wrong, advice = "fractions", _REFUSED["F"][1]
    elif bands == 2 and tiff.alpha:
        wrong, advice = _REFUSED["LA"]
    elif bands > 1:
        wrong, advice = f"{bands} bands", _advise_on_colors(tiff.values)
    if wrong:
        raise DataError(f"{path} holds {wrong}, but a label file has one whole number a pixel. {advice}")
    if tiff.photometric == 0:
        raise DataError(_INVERTED.format(path))
    depth = "palette" if tiff.photometric == PALETTE else "gray" if tiff.bits == 8 else f"{tiff.bits}-bit"
    palette = tiff.colours() if tiff.photometric == PALETTE else None
    return RawLabels(_as_bytes(tiff.values[..., 0]), tiff.photometric == PALETTE, f"{depth} TIFF", palette)


def _as_bytes(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Integers as bytes, if all fit."""
    if values.dtype != np.uint8 and values.min() >= 0 and values.max() <= 255:
        return values.astype(np.uint8)
    return values


_REFUSED = {
    "F": ("fractions", "Save whole numbers, in a gray PNG."),
    "LA": ("gray with transparency", "Save it without the transparency."),
    "PA": ("a palette with transparency", "Save it without the transparency."),
}

_INVERTED = (
    "{} stores its values the other way round (0 is white), and whether they were meant so cannot be seen. Save it as a "
    "gray PNG."
)


def _is_gray(values: npt.NDArray[Any]) -> bool:
    """Whether the first three of the bands (H, W, bands) are equal."""
    return values.shape[2] >= 3 and bool((values[..., :1] == values[..., 1:3]).all())


def _advise_on_colors(values: npt.NDArray[Any]) -> str:
    if _is_gray(values):
        return "Its three colour channels are equal: save one of them, as a gray PNG."
    return (
        "Replace each colour by the number of its class, and save a gray or palette PNG; of a folder of your own, "
        "--data.options.masks color reads the colours of classes.csv."
    )
