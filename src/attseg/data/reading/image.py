"""Reading picture and label files: whatever a file holds comes out as plain bytes, or a sentence says why it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from attseg.data.classes import ClassTable
from attseg.data.reading.label_values import count_values, explain_unknown
from attseg.data.reading.matlab import read_matlab_labels
from attseg.data.reading.opening import ImageSource, Opened, name_of, open_picture
from attseg.data.sample import Array, DataError


def read_image(source: ImageSource) -> Array:
    """Read a picture as red, green and blue bytes, the way a viewer shows it.

    The EXIF orientation is applied, of an animation the first frame is taken, and transparent pixels are laid on white.
    16-bit gray is scaled to 8 bits. Files of 32-bit integers or floats do not say what is white: it is the smallest of
    1 (floats only), 255 and 65535 that no value exceeds.

    Args:
        source: A path, the content of a file, an open file, or a picture of Pillow in any mode.

    Returns:
        (H, W, 3) red, green, blue in 0..255.

    Raises:
        DataError: There is no such file, it is empty, broken or no picture, or it has more than ``MAX_PIXELS`` pixels.

    Example:
        >>> read_image(Image.new("LA", (4, 2), (0, 0)))[0, 0].tolist()
        [255, 255, 255]
    """
    opened = open_picture(source)
    try:
        return _to_rgb(opened)
    except DataError as error:
        raise DataError(f"{name_of(source)} {error}") from None
    except Exception as error:  # a palette that ends too early, a mode that does not go over into another
        raise DataError(f"{name_of(source)} cannot be read as a picture: {error}; replace or remove it") from error


class RawLabels(NamedTuple):
    """The values of a label file as they are.

    Args:
        values: (H, W) integers; bytes unless a value does not fit into one.
        paletted: Whether the file shows its values as colours of a palette.
        kind: What the file is: "gray PNG", "palette PNG", "32-bit TIFF", "MATLAB".
    """

    values: npt.NDArray[Any]
    paletted: bool
    kind: str


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
    values, paletted, _ = read_raw_labels(path)
    if values.dtype != np.uint8 or (labels := classes.lookup[values]).min() < 0:
        problem = explain_unknown(count_values(values), classes, file=str(path), paletted=paletted, official=official)
        raise DataError(f"{path}: {problem}")
    return labels.astype(np.uint8)


def read_raw_labels(path: str | Path) -> RawLabels:
    """Read the values of a label file without asking what they mean.

    Raises:
        DataError: The file cannot be read, or it holds colours, transparency or fractions.
    """
    if Path(path).suffix.lower() == ".mat":
        return RawLabels(_as_bytes(read_matlab_labels(path)), False, "MATLAB")
    opened = open_picture(path)
    image = opened.image
    if image.mode not in ("1", "L", "P", "I") and not image.mode.startswith("I;16"):
        what, advice = _REFUSED.get(image.mode, ("colours", _advise_on_colors(image)))
        raise DataError(
            f"{path} holds {what} (mode {image.mode}), but a label file has one whole number a pixel. {advice}"
        )
    if opened.inverted:
        raise DataError(
            f"{path} stores its values the other way round (0 is white), and whether they were meant so cannot be seen. Save it "
            "as a gray PNG."
        )
    return RawLabels(_as_bytes(_as_stored(np.array(image), opened.most)), image.mode == "P", _kind(opened))


def _kind(opened: Opened) -> str:
    depth = {"1": "1-bit", "L": "gray", "P": "palette", "I": "32-bit"}.get(opened.image.mode, "16-bit")
    return f"{depth} {opened.format}"


def _as_stored(values: npt.NDArray[Any], most: int | None) -> npt.NDArray[Any]:
    """The values that stand in the file, where Pillow has stretched them: of four bits a pixel, 15 comes as 255."""
    if most is None:
        return values
    return np.rint(values * (most / (255 if values.dtype == np.uint8 else 65535))).astype(values.dtype)


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

_WHITE = (1, 255, 65535)


def _to_rgb(opened: Opened) -> Array:
    image = opened.image
    if image.mode.startswith("I;16"):
        return _gray(np.asarray(image), opened.white or 65535)
    if image.mode in ("I", "F"):
        return _gray(values := np.asarray(image), opened.white or _white(values))
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        return np.array(converted)
    if image.has_transparency_data:
        image = image.convert("LA") if image.mode == "La" else image
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return np.array(image.convert("RGB"))


def _gray(values: npt.NDArray[Any], white: int) -> Array:
    scaled = np.rint(values * (255 / white)).astype(np.uint8)
    return np.repeat(scaled[..., None], 3, axis=2)


def _white(values: npt.NDArray[Any]) -> int:
    low, high = values.min(), values.max()
    steps = _WHITE if values.dtype.kind == "f" else _WHITE[1:]
    for white in steps:
        if low >= 0 and high <= white:
            return white
    raise DataError(
        f"holds values from {low} to {high}; 0..{_WHITE[-1]} was expected: scale them, or save 8 bits a channel"
    )


def _advise_on_colors(image: Image.Image) -> str:
    bands = [band.tobytes() for band in image.split()]
    if len(bands) >= 3 and bands[0] == bands[1] == bands[2]:
        return "Its three colour channels are equal: save one of them, as a gray PNG."
    return "Replace each colour by the number of its class, and save a gray or palette PNG."
