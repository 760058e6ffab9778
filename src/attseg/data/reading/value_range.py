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
    low, high = value_range = known_range(values, white, value_range)[:2]
    if not (lowest >= low and highest <= high):
        raise DataError(
            f"holds the value {lowest if lowest < low else highest:.6g}, beyond the range {describe_range(value_range)} of the "
            "data; correct the file, or state a range that holds all values (--data.options.range LOW,HIGH)"
        )
    return scaled(values, low, high)


def known_range(values: npt.NDArray[Any], white: int | None, value_range: ValueRange | None) -> ValueRange:
    """The range that is stated, or that of the type.

    Raises:
        DataError: None is known, or the type cannot reach it; the message is the end of a sentence that begins with the file.
    """
    if value_range is None and white is None:
        raise DataError(
            f"holds {values.dtype} values from {np.nanmin(values):.6g} to {np.nanmax(values):.6g}, and this type does not say "
            "which are black and white. State them once for the data set, with --data.options.range LOW,HIGH (`attseg data "
            "check` proposes them; of bands, a pair for each); a model keeps the range that it was trained with"
        )
    if value_range is not None and white is not None and max(value_range) > white:
        raise DataError(
            f"has values of up to {white}, but the range of the data is {describe_range(value_range)} (option range), so it "
            "would be read as nearly black: convert it to the values of the other images"
        )
    return value_range or (0, white or 0)


def scaled(values: npt.NDArray[Any], low: float, high: float) -> Array:
    """Bytes ``round(255 * (value - low) / (high - low))`` of the same shape; values beyond become 0 or 255, NaN becomes 0."""
    if values.dtype in (np.uint8, np.uint16):
        every = np.arange(2 ** (8 * values.dtype.itemsize), dtype=np.float64)
        return np.asarray(np.rint(255 * (every - low) / (high - low)).clip(0, 255).astype(np.uint8)[values])
    found = np.empty(values.shape, np.uint8)
    rows = max(1, BLOCK // max(1, values[0].size))
    for top in range(0, len(values), rows):
        part = np.rint(255 * (values[top : top + rows].astype(np.float64) - low) / (high - low))
        found[top : top + rows] = np.nan_to_num(part, nan=0, posinf=255, neginf=0).clip(0, 255)
    return found
