"""Pictures that are in memory already, brought to the form that files are read into."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from attseg.data.reading.bands import Bands, describe_bands, scale_bands
from attseg.data.reading.image import read_image
from attseg.data.reading.raw import RawImage
from attseg.data.reading.value_range import ValueRange, describe_range
from attseg.data.sample import Array, DataError
from attseg.errors import UsageError

TOLERANCE = 1e-3
"""How far fractions may lie outside 0..1, as resizing leaves them."""


LEAST_WHITE = 255
"""Value of white from which on fractions of 0..1 are all read as black."""


def from_array(values: npt.NDArray[Any], *, value_range: ValueRange | None = None, bands: Bands | None = None) -> Array:
    """An image from an array.

    Without a range the type says what is white: 255 for ``uint8``, 65535 for ``uint16``, 1 for any float.

    Args:
        values: (H, W, 3) red, green, blue; (H, W, 4) with transparency, which is laid on white; (H, W) or (H, W, 1) gray.
        value_range: The values that are black and white, as of ``read_image``, for numbers of any type.
        bands: What the channels of ``values`` are then, in this order: (H, W, C), or (H, W) of one.

    Returns:
        (H, W, 3) bytes; a copy.

    Raises:
        UsageError: Another shape, type or range.

    Example:
        >>> from_array(np.array([[0.0, 1.0]]))[0].tolist()
        [[0, 0, 0], [255, 255, 255]]
    """
    if values.ndim == 2:
        values = values[..., None]
    if bands is not None:
        return _as_bands(values, bands, value_range)
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4) or values.size == 0:
        hint = (
            "; move the channels to the end with .transpose(1, 2, 0)"
            if values.ndim == 3 and len(values) in (1, 3)
            else ""
        )
        raise UsageError(
            f"an array of shape {values.shape} was given; (H, W, 3), (H, W, 4) or (H, W) was expected{hint}"
        )
    if value_range is not None:
        return _by_range(values, value_range)
    pixels = _to_bytes(values)
    return read_image(Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))


def from_tensor(values: Tensor, *, value_range: ValueRange | None = None, bands: Bands | None = None) -> Array:
    """An image from a tensor: (3, H, W), (4, H, W), (1, H, W) or (H, W), on any device, with the rules of ``from_array``.

    Args:
        values: The tensor.
        value_range: As of ``from_array``.
        bands: As of ``from_array``: (C, H, W).

    Raises:
        UsageError: Another shape, type or range.
    """
    if values.ndim == 4:
        raise UsageError(f"a batch of shape {tuple(values.shape)} was given; hand in its pictures with list(batch)")
    if values.ndim not in (2, 3) or (bands is None and values.ndim == 3 and values.shape[0] not in (1, 3, 4)):
        raise UsageError(
            f"a tensor of shape {tuple(values.shape)} was given; (3, H, W), (4, H, W) or (H, W) was expected"
        )
    if values.is_meta or values.is_complex() or values.layout != torch.strided:
        raise UsageError(
            f"a tensor of {values.dtype} and layout {values.layout} on {values.device} holds no picture; a dense one was expected"
        )
    values = values.detach().cpu()
    values = values.float() if values.is_floating_point() else values
    return from_array(
        values.numpy() if values.ndim == 2 else values.movedim(0, -1).numpy(), value_range=value_range, bands=bands
    )


def _as_bands(values: npt.NDArray[Any], bands: Bands, value_range: ValueRange | None) -> Array:
    if values.ndim != 3 or values.shape[2] != len(bands) or values.size == 0 or values.dtype.kind not in "uif":
        raise UsageError(
            f"an array of shape {values.shape} and type {values.dtype} was given, and the model sees "
            f"{describe_bands(bands.numbers, None)}"
            f"; numbers of shape (H, W, {len(bands)}) were expected, with these bands in this order"
        )
    white = int(np.iinfo(values.dtype).max) if values.dtype in (np.uint8, np.uint16) else None
    try:
        return scale_bands(values, white, value_range, fill=bands.fill)[0]
    except DataError as error:
        raise UsageError(f"the picture {error}") from None


def _by_range(values: npt.NDArray[Any], value_range: ValueRange) -> Array:
    if values.shape[2] == 4 or values.dtype.kind not in "uif":
        raise UsageError(
            f"an array of shape {values.shape} and type {values.dtype} was given; numbers in 1 or 3 channels were expected, "
            f"since the model takes values of the range {describe_range(value_range)}"
        )
    if values.dtype.kind == "f" and 0 < values.max() <= 1 and values.min() >= 0 and value_range[1] >= LEAST_WHITE:
        raise UsageError(
            f"the picture holds fractions of 0..1 ({values.min():.4g} to {values.max():.4g}), but the model takes values of the "
            f"range {describe_range(value_range)}, in which they are black; give the values of the image files"
        )
    white = int(np.iinfo(values.dtype).max) if values.dtype in (np.uint8, np.uint16) else None
    try:
        return RawImage(values, white).to_rgb(value_range)
    except DataError as error:
        raise UsageError(f"the picture {error}") from None


def _to_bytes(values: npt.NDArray[Any]) -> Array:
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    if values.dtype == np.uint16:
        return np.rint(values * np.float32(255 / 65535)).astype(np.uint8)
    if values.dtype.kind != "f":
        raise UsageError(
            f"the picture holds {values.dtype}, which does not say what is white; convert it to uint8 (0..255), uint16 "
            "(0..65535) or a float (0..1)"
        )
    low, high = values.min(), values.max()
    if np.isnan(low):
        raise UsageError("the picture holds numbers that are none (NaN); a float picture lies in 0..1")
    if not -TOLERANCE <= low <= high <= 1 + TOLERANCE:
        raise UsageError(
            f"the picture holds fractions from {low:.4g} to {high:.4g}, but a float picture lies in 0..1; divide by 255 or "
            "convert to uint8, and leave it to the segmenter to normalise"
        )
    return np.rint(values.astype(np.float32).clip(0, 1) * 255).astype(np.uint8)
