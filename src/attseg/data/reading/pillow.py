"""Reads with Pillow: an image with the values of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from attseg.data.reading.bands import pick
from attseg.data.reading.deep import DeepValues
from attseg.data.reading.opening import Opened
from attseg.data.reading.raw import RawImage
from attseg.data.sample import Array, DataError

_MARKED_OPAQUE = ("TIFF", "JPEG2000")
"""Formats whose fourth band is most often another channel, whatever Pillow calls it."""


def from_pillow(opened: Opened) -> RawImage:
    """A picture as gray, or red, green and blue, with its opacity; errors are ends of sentences that begin with the file."""
    image = opened.image
    about: dict[str, Any] = {"animated": opened.animated, "orientation": opened.orientation}
    if opened.deep is not None:
        return _from_deep(opened.deep, about)
    bands = len(image.getbands())
    if image.mode == "F" or (image.mode == "I" and opened.format != "PPM"):
        return RawImage(np.asarray(image)[..., None], None, bits=32, bands=1, read=(1,), **about)
    if image.mode[0] in "IL" and image.mode != "LAB" and bands == 1 and not image.has_transparency_data:
        values = as_stored(np.asarray(image), opened.most)
        white = opened.most or (255 if image.mode == "L" else 65535)
        values = values.astype(np.uint8 if white < 256 else np.uint16)[..., None]
        return RawImage(values, white, bits=white.bit_length(), bands=1, read=(1,), **about)
    if image.mode == "LAB":
        return RawImage(from_lab(image), **about)
    if opened.format in _MARKED_OPAQUE and image.mode in ("LA", "RGBA"):
        read = tuple(range(1, bands))
        return RawImage(np.atleast_3d(np.array(image))[..., :-1], bands=bands, read=read, **about)
    if image.has_transparency_data:
        image = image.convert("LA") if image.mode == "La" else image
        image = image.convert("RGBA")
        about["transparent"] = _transparent(np.asarray(image), 255)
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return RawImage(np.array(image.convert("RGB")), **about)


def bands_of_pillow(opened: Opened, chosen: Sequence[int]) -> RawImage:
    """Chosen bands of what Pillow reads, as it stores them: gray, red, green, blue and opacity."""
    image = opened.image
    if opened.deep is not None:
        values, white = opened.deep.values, opened.deep.white
    elif image.mode in ("L", "LA", "RGB", "RGBA", "RGBX", "CMYK") or image.mode.startswith("I;16"):
        values = np.atleast_3d(as_stored(np.asarray(image), opened.most))
        white = opened.most or (255 if values.dtype == np.uint8 else 65535)
    else:
        raise DataError(
            f"is stored as {image.mode}, which has no bands to choose from; save it as gray, RGB or TIFF, or leave out "
            "--data.options.bands"
        )
    return RawImage(
        pick(values, chosen),
        white,
        bits=white.bit_length(),
        bands=values.shape[2],
        read=tuple(chosen),
        picked=True,
        animated=opened.animated,
        orientation=opened.orientation,
    )


def _from_deep(deep: DeepValues, about: Mapping[str, Any]) -> RawImage:
    values, bands = deep.values, deep.values.shape[2]
    colour = bands - deep.alpha
    if colour == 2:
        raise DataError("has 2 bands, and images of 1 band (gray) or of 3 and more (red, green, blue first) are read")
    read = tuple(range(1, 1 + min(3, colour)))
    alpha = values[..., -1:] if deep.alpha and (values[..., -1] < deep.white).any() else None
    shown = len(read) if alpha is None and not deep.alpha else bands
    return RawImage(
        values[..., : len(read)],
        deep.white,
        bits=deep.white.bit_length(),
        bands=bands if shown < bands else len(read),
        read=read,
        opacity=None if alpha is None else (alpha / deep.white).astype(np.float32),
        transparent=alpha is not None and _transparent(values, deep.white),
        **about,
    )


def _transparent(values: npt.NDArray[Any], opaque: int) -> bool:
    """Whether any pixel of an image is transparent, if only in part.

    Args:
        values: (H, W, bands), of which the last one is opacity.
        opaque: Its value where nothing shines through.

    Raises:
        DataError: Nothing of the image is visible, but it holds several colours: which of the two is meant is not known.
    """
    colours, opacity = values[..., :-1], values[..., -1]
    if opacity.max() == 0 and (colours != colours[0, 0]).any():
        raise DataError(
            "is transparent everywhere (its alpha channel is 0), but holds colours that then nobody sees. If they are the "
            "image, save it without alpha channel, as RGB; if not, leave the file out"
        )
    return bool(opacity.min() < opaque)


def from_lab(image: Image.Image) -> Array:
    """(H, W, 3) Red, green and blue of an image in CIE L*a*b*."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return np.array(ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB"))


def as_stored(values: npt.NDArray[Any], most: int | None) -> npt.NDArray[Any]:
    """The values that stand in the file, where Pillow has stretched them: of four bits a pixel, 15 comes as 255."""
    if most is None:
        return values
    return np.rint(values * (most / (255 if values.dtype == np.uint8 else 65535))).astype(values.dtype)
