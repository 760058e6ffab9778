"""Numbers as text that a page can carry: one byte a value, deflated, in base64."""

from __future__ import annotations

import base64
import math
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.errors import UsageError

Plane = dict[str, Any]
"""Values of any shape; ``encode`` says how they are written."""

LEVELS = 255
"""A byte has so many steps from the lowest to the highest value."""


def encode(values: npt.ArrayLike) -> Plane:
    """Values as bytes between their lowest and their highest; what is read back is at most (high - low) / 510 away.

    Returns:
        ``shape``, ``low`` and ``high`` (a value is low + byte / 255 x (high - low)), and ``data``: the bytes, each less the one
        before it in the same row (modulo 256), deflated with zlib's header, in base64. Differences of smooth maps are small and
        pack well.

    Raises:
        UsageError: Not all values are numbers.

    Example:
        >>> plane = encode([[0.0, 0.5], [0.25, 1.0]])
        >>> plane["shape"], plane["low"], plane["high"]
        ([2, 2], 0.0, 1.0)
        >>> (255 * decode(plane)).round().tolist()
        [[0.0, 128.0], [64.0, 255.0]]
    """
    array = np.asarray(values, np.float32)
    _check(array)
    low, high = float(array.min()), float(array.max())
    return {**_packed(_quantised(array - low, high - low)), "low": low, "high": high}


def encode_bytes(values: npt.NDArray[np.uint8]) -> Plane:
    """Bytes, such as labels, which are read back as they are."""
    return {**_packed(values), "low": 0.0, "high": float(LEVELS)}


def encode_rows(values: npt.ArrayLike) -> Plane:
    """Rows (R, ...) of values from 0 on, each as bytes of its own largest value; what is read back is at most peak / 510 away.

    Attention over all positions is very large at few of them, and how large differs from pixel to pixel.

    Returns:
        As of ``encode``, and ``peaks``: the R largest values as 32-bit floats, little-endian, in base64. A value is
        byte / 255 x the peak of its row.

    Raises:
        UsageError: Not all values are numbers.
    """
    array = np.asarray(values, np.float32)
    _check(array)
    peaks = array.reshape(len(array), -1).max(1)
    tall = peaks.reshape(-1, *[1] * (array.ndim - 1))
    peaks_text = base64.b64encode(peaks.astype("<f4").tobytes()).decode()
    return {**_packed(_quantised(array, tall)), "low": 0.0, "high": float(peaks.max()), "peaks": peaks_text}


def decode(plane: Plane) -> npt.NDArray[np.float32]:
    """What the viewer reads out of a plane."""
    shape = tuple(plane["shape"])
    steps = np.frombuffer(zlib.decompress(base64.b64decode(plane["data"])), np.uint8).reshape(-1, shape[-1])
    values = (np.cumsum(steps, axis=1, dtype=np.uint8).reshape(shape) / LEVELS).astype(np.float32)
    if "peaks" in plane:
        peaks = np.frombuffer(base64.b64decode(plane["peaks"]), "<f4")
        return values * peaks.reshape(-1, *[1] * (len(shape) - 1))
    return (plane["low"] + values * (plane["high"] - plane["low"])).astype(np.float32)


def _check(array: npt.NDArray[np.float32]) -> None:
    if array.size == 0 or not np.isfinite(array).all():
        wrong = math.prod(array.shape) - int(np.isfinite(array).sum())
        raise UsageError(
            f"{wrong} of {array.size} values of a map are infinite or not numbers, so it cannot be drawn; "
            "a training that went wrong gives such maps"
        )


def _quantised(array: npt.NDArray[np.float32], whole: Any) -> npt.NDArray[np.uint8]:
    return np.rint(array * (LEVELS / np.maximum(whole, np.finfo(np.float32).tiny))).astype(np.uint8)


def _packed(values: npt.NDArray[np.uint8]) -> Plane:
    steps = values.copy()
    steps[..., 1:] -= values[..., :-1]
    return {"shape": list(values.shape), "data": base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode()}
