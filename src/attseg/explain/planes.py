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
    """Rows (R, ...) of values, each as bytes between 0, or its lowest value below 0, and its highest.

    Attention over all positions is large at few of them and small, but not nothing, at many. So bytes count the roots of values:
    what is read back is at most (high - low) / 254 of its own row away where values are high, and far less where they are low.

    Returns:
        As of ``encode``, and ``ranges``: low and high of each row as 32-bit floats, little-endian, in base64. A value is
        low + (byte / 255)² x (high - low).

    Raises:
        UsageError: Not all values are numbers.
    """
    array = np.asarray(values, np.float32)
    _check(array)
    rows = array.reshape(len(array), -1)
    lows, highs = np.minimum(rows.min(1), 0), np.maximum(rows.max(1), 0)
    text = base64.b64encode(np.stack([lows, highs], 1).astype("<f4").tobytes()).decode()
    spans = np.maximum(highs - lows, np.finfo(np.float32).tiny)[:, None]
    roots = np.sqrt((rows - lows[:, None]) / spans)
    packed = _packed(_quantised(roots, 1.0).reshape(array.shape))
    return {**packed, "low": float(lows.min()), "high": float(highs.max()), "ranges": text}


def decode(plane: Plane) -> npt.NDArray[np.float32]:
    """The plane in the viewer's format."""
    shape = tuple(plane["shape"])
    steps = np.frombuffer(zlib.decompress(base64.b64decode(plane["data"])), np.uint8).reshape(-1, shape[-1])
    values = (np.cumsum(steps, axis=1, dtype=np.uint8).reshape(shape) / LEVELS).astype(np.float32)
    if "ranges" in plane:
        ranges = np.frombuffer(base64.b64decode(plane["ranges"]), "<f4").reshape(-1, 2, *[1] * (len(shape) - 1))
        return ranges[:, 0] + values**2 * (ranges[:, 1] - ranges[:, 0])
    return (plane["low"] + values * (plane["high"] - plane["low"])).astype(np.float32)


def _check(array: npt.NDArray[np.float32]) -> None:
    if array.size == 0 or not np.isfinite(array).all():
        wrong = math.prod(array.shape) - int(np.isfinite(array).sum())
        raise UsageError(
            f"{wrong} of {array.size} values of a map are infinite or not numbers, so it cannot be drawn; "
            "a training that went wrong gives such maps"
        )


def _quantised(array: npt.NDArray[np.float32], whole: Any) -> npt.NDArray[np.uint8]:
    return np.rint(LEVELS * (array / np.maximum(whole, np.finfo(np.float32).tiny))).astype(np.uint8)


def _packed(values: npt.NDArray[np.uint8]) -> Plane:
    steps = values.copy()
    steps[..., 1:] -= values[..., :-1]
    return {"shape": list(values.shape), "data": base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode()}
