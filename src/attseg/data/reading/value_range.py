"""The values of an image that are black and white: stated once for a data set, and never taken from a single file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.data.sample import Array, DataError
from attseg.errors import UsageError

ValueRange = tuple[float, ...]
"""The values that become 0 and 255: two numbers, or two for each of several chosen bands."""

BLOCK = 2**22
"""Values that are scaled at once, which bounds the memory."""


def check_range(given: Any) -> ValueRange:
    """A value range as an option states it: two finite numbers, the lower one first.

    Raises:
        UsageError: It is something else.

    Example:
        >>> check_range([0, 4095])
        (0, 4095)
    """
    numbers = list(given) if isinstance(given, list | tuple) else []
    if len(numbers) == 2 and all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
        low, high = numbers
        if math.isfinite(low) and math.isfinite(high) and low < high:
            return low, high
    raise UsageError(f"range is {given!r}; two numbers were expected, the values of black and of white, such as 0,4095")


def range_option(low: float, high: float, *more: float) -> str:
    """The option that states a range, or those of several bands one after the other, as it is typed.

    Example:
        >>> range_option(0, 4095), range_option(-1.0, 1.0)
        ('--data.options.range 0,4095', '--data.options.range=-1,1')
    """
    return f"--data.options.range{'=' if low < 0 else ' '}{describe_range((low, high, *more))}"


def describe_range(value_range: ValueRange) -> str:
    """A range in text.

    Example:
        >>> describe_range((0.0, 0.5))
        '0,0.5'
    """
    return ",".join(f"{value:.10g}" for value in value_range)


def to_bytes(values: npt.NDArray[Any], white: int | None, value_range: ValueRange | None) -> Array:
    """Scale the values of an image to 0..255.

    Args:
        values: Of any shape and real dtype.
        white: The largest value of the file's type, if the type says what is white (integers without sign of up to 16 bits).
        value_range: What the data set states; None takes 0 and ``white``.

    Returns:
        Bytes of the same shape: ``round(255 * (value - low) / (high - low))``.

    Raises:
        DataError: No range is known, the type cannot reach the range, or a value lies beyond it; the message is the
            end of a sentence that begins with the file.
    """
    if value_range in (None, (0, 255)) and white == 255:
        return values.astype(np.uint8, copy=False)
    lowest, highest = values.min(), values.max()
    if missing := int(np.isnan(values).sum()) if np.isnan(lowest) else 0:
        raise DataError(
            f"holds NaN in {missing} of {values.size} values; replace them by a number within the range of the data"
        )
    if value_range is None:
        if white is None:
            raise DataError(
                f"holds {values.dtype} values from {lowest:.6g} to {highest:.6g}, and this type does not say which values are "
                "black and white. State them once for the data set, with --data.options.range LOW,HIGH (`attseg data check` "
                "proposes them); a model keeps the range that it was trained with"
            )
        value_range = 0, white
    low, high = value_range[:2]
    if white is not None and high > white:
        raise DataError(
            f"has values of up to {white}, but the range of the data is {describe_range(value_range)} (option range), so it "
            "would be read as nearly black: convert it to the values of the other images"
        )
    if not (lowest >= low and highest <= high):
        raise DataError(
            f"holds the value {lowest if lowest < low else highest:.6g}, beyond the range {describe_range(value_range)} of the "
            "data; correct the file, or state a range that holds all values (--data.options.range LOW,HIGH)"
        )
    if values.dtype in (np.uint8, np.uint16):
        with np.errstate(over="ignore"):
            table = _scale(np.arange(2 ** (8 * values.dtype.itemsize)), low, high).clip(0, 255)
        return np.asarray(table.astype(np.uint8)[values])
    scaled = np.empty(values.shape, np.uint8)
    flat, out = values.reshape(-1), scaled.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        out[start : start + BLOCK] = _scale(flat[start : start + BLOCK], low, high)
    return scaled


def _scale(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.float64]:
    return np.rint(255 * (values.astype(np.float64) - low) / (high - low))
