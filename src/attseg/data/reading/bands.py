"""Chosen bands of an image: which are read, how each becomes bytes, where they hold no data, and which are shown as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from attseg.data.reading.value_range import (
    ValueRange,
    check_range,
    describe_range,
    known_range,
    range_option,
    scaled,
)
from attseg.data.sample import Array, DataError
from attseg.errors import UsageError


@dataclass(frozen=True)
class Bands:
    """The bands of an image file that a model sees, in its order.

    Args:
        numbers: Counted from 1, as GDAL and QGIS count them.
        fill: (C,) The byte of each where there is no data; empty for 0.
    """

    numbers: tuple[int, ...]
    fill: tuple[int, ...] = ()

    @classmethod
    def filled(cls, numbers: tuple[int, ...], means: Sequence[float]) -> Bands:
        """Bands that hold their mean, stated on the scale 0..1, where there is no data."""
        return cls(numbers, tuple(min(255, max(0, round(255 * value))) for value in means))

    def __len__(self) -> int:
        return len(self.numbers)

    def __str__(self) -> str:
        """As an option states them: ``1,2,3,4``."""
        return ",".join(map(str, self.numbers))


def check_bands(given: Any) -> tuple[int, ...]:
    """Band numbers as an option states them: one or more whole numbers from 1 on, none of them twice.

    Raises:
        UsageError: It is something else.

    Example:
        >>> check_bands([4, 3, 2]), check_bands(1)
        ((4, 3, 2), (1,))
    """
    numbers = tuple(given) if isinstance(given, list | tuple) else (given,)
    whole = all(isinstance(one, int) and not isinstance(one, bool) and one >= 1 for one in numbers)
    if not numbers or not whole or len(set(numbers)) < len(numbers):
        raise UsageError(
            f"bands is {given!r}; numbers of bands were expected, counted from 1 and none of them twice, such as 1,2,3,4"
        )
    return numbers


def check_ranges(given: Any, bands: int) -> ValueRange:
    """The value ranges of some bands: two numbers for all of them, or a low and a high one for each.

    Raises:
        UsageError: It is something else.

    Example:
        >>> check_ranges([0, 3000], 2), check_ranges([0, 3000, -1, 1], 2)
        ((0, 3000), (0, 3000, -1, 1))
    """
    numbers = list(given) if isinstance(given, list | tuple) else []
    if len(numbers) <= 2:
        return check_range(given)
    if len(numbers) != 2 * bands:
        raise UsageError(
            f"range has {len(numbers)} numbers, and there are {bands} bands; give 2 for all, or a low and a high one for each "
            f"({2 * bands})"
        )
    return tuple(value for place in range(bands) for value in check_range(numbers[2 * place : 2 * place + 2]))


def check_statistics(name: str, given: Any, bands: int) -> tuple[float, ...]:
    """Means or standard deviations of some bands, one for each.

    Raises:
        UsageError: It is something else, or a deviation is not above 0.
    """
    numbers = tuple(given) if isinstance(given, list | tuple) else (given,)
    real = all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in numbers)
    if len(numbers) != bands or not real or (name == "std" and min(numbers) <= 0):
        raise UsageError(
            f"{name} is {given!r}; {bands} numbers were expected, one for each band, on the scale 0..1 of the value range"
            + (", above 0" if name == "std" else "")
        )
    return tuple(map(float, numbers))


def choose_bands(
    bands: Any, value_range: Any, mean: Any, std: Any
) -> tuple[ValueRange | None, Bands | None, tuple[tuple[float, ...], tuple[float, ...]] | None]:
    """The value range, bands and statistics (means and deviations) that the options of a data set state, each or None.

    Raises:
        UsageError: A value that it cannot be, or means and deviations without each other or without bands.
    """
    if bands is None:
        if stated := [name for name, value in (("mean", mean), ("std", std)) if value is not None]:
            raise UsageError(
                f"{stated[0]} is that of chosen bands, and none are chosen: add --data.options.bands, such as 1,2,3,4; of red, "
                "green and blue, the encoder's pretraining has its own"
            )
        return None if value_range is None else check_range(value_range), None, None
    numbers = check_bands(bands)
    ranges = None if value_range is None else check_ranges(value_range, len(numbers))
    if (mean is None) != (std is None):
        raise UsageError("mean and std belong together; give both, as `attseg data check` prints them")
    if mean is None:
        return ranges, Bands(numbers), None
    means = check_statistics("mean", mean, len(numbers))
    return ranges, Bands.filled(numbers, means), (means, check_statistics("std", std, len(numbers)))


def band_options(bands: Sequence[int], value_range: ValueRange | None) -> str:
    """The options that state bands and their ranges, as they are typed.

    Example:
        >>> band_options((1, 2), (0, 3000, -1, 1))
        '--data.options.bands 1,2 --data.options.range 0,3000,-1,1'
    """
    stated = f"--data.options.bands {','.join(map(str, bands))}"
    if value_range is None:
        return stated
    return f"{stated} {range_option(value_range[0], value_range[1], *value_range[2:])}"


def pick(values: npt.NDArray[Any], bands: Sequence[int]) -> npt.NDArray[Any]:
    """(H, W, C) Some bands of an image (H, W, bands).

    Raises:
        DataError: There are fewer; the message is the end of a sentence that begins with the file.
    """
    check_count(values.shape[2], bands)
    return values[..., [number - 1 for number in bands]]


def check_count(found: int, bands: Sequence[int]) -> None:
    """Refuse an image that lacks a band.

    Raises:
        DataError: The message is the end of a sentence that begins with the file.
    """
    if found < max(bands):
        listed, many = ", ".join(map(str, bands)), "bands" if found > 1 else "band"
        raise DataError(
            f"has {found} {many}, and the bands {listed} are read ({len(bands)} in all): give images that have them, or choose "
            "other bands (--data.options.bands) and train a model on these"
        )


def scale_bands(
    values: npt.NDArray[Any],
    white: int | None,
    value_range: ValueRange | None,
    *,
    fill: Sequence[int] = (),
    nodata: Sequence[float | None] = (),
) -> tuple[Array, npt.NDArray[np.bool_] | None]:
    """Scale bands to 0..255, each by its own range; values beyond it become its ends.

    A pixel has no data where every band is NaN or its own nodata value. It gets the fill of each band, and so does a single band
    that is NaN, or that holds a nodata value outside its range.

    Args:
        values: (H, W, C) of any real dtype.
        white: The largest value of the file's type, if the type says what is white.
        value_range: As of ``check_ranges``; None takes 0 and ``white``.
        fill: (C,) Byte of each band where there is no data; empty for 0.
        nodata: (C,) What stands for no data in each band, or None; empty for none.

    Returns:
        (H, W, C) bytes, ``round(255 * (value - low) / (high - low))``; and (H, W) which pixels have no data, None where all have.

    Raises:
        DataError: No range is known; the message is the end of a sentence that begins with the file.

    Example:
        >>> scale_bands(np.array([[[0, 5], [99, 10]]], np.int16), None, (0, 10, 0, 20))[0].tolist()
        [[[0, 64], [255, 128]]]
    """
    count = values.shape[2]
    value_range = known_range(values, white, value_range)
    fills, empty = fill or (0,) * count, nodata or (None,) * count
    pairs = [value_range[2 * band : 2 * band + 2] if len(value_range) > 2 else value_range for band in range(count)]
    found, without = np.empty(values.shape, np.uint8), np.ones(values.shape[:2], np.bool_)
    for band, (low, high) in enumerate(pairs):
        plane, outside = values[..., band], None
        gone = np.isnan(plane) if plane.dtype.kind == "f" else np.zeros(plane.shape, np.bool_)
        if (void := empty[band]) is not None and not math.isnan(void):
            here = plane == np.asarray(void).astype(plane.dtype) if _holds(plane.dtype, void) else gone
            outside = here if not low <= void <= high else None
            without &= gone | here
        else:
            without &= gone
        if outside is not None:
            gone = gone | outside
        found[..., band] = scaled(plane, low, high)
        found[..., band][gone] = fills[band]
    if not without.any():
        return found, None
    found[without] = fills
    return found, without


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    """Whether a type has a value: a nodata value of -9999 stands nowhere in bytes."""
    if dtype.kind == "f":
        return True
    info = np.iinfo(dtype)
    return float(value).is_integer() and info.min <= value <= info.max


def visible(image: Array, bands: Sequence[int] | None = None, show: Sequence[int] | None = None) -> Array:
    """(H, W, 3) An image of any bands as a picture for people.

    Args:
        image: (H, W, C) as a model sees it.
        bands: The numbers of its bands in the file; None where it is red, green and blue.
        show: Which of these are shown as red, green and blue; None takes the first three that the model sees, and of fewer the
            first one as gray.

    Raises:
        UsageError: ``show`` names other than three bands, or one that the model does not see.

    Example:
        >>> visible(np.arange(4, dtype=np.uint8).reshape(1, 1, 4), (1, 2, 3, 4), (4, 3, 2))[0, 0].tolist()
        [3, 2, 1]
    """
    places = check_show(image.shape[2], bands, show)
    if places == [0, 1, 2] and image.shape[2] == 3:
        return image
    return np.ascontiguousarray(image[..., places])


def check_show(channels: int, bands: Sequence[int] | None, show: Sequence[int] | None) -> list[int]:
    """Places of the three channels that are shown; arguments and errors as of ``visible``."""
    if show is None:
        return [0, 1, 2] if channels >= 3 else [0, 0, 0]
    known = tuple(bands or range(1, channels + 1))
    if len(show) != 3 or not set(show) <= set(known):
        raise UsageError(
            f"--show-bands is {','.join(map(str, show))}; three of the bands that the model sees were expected, for red, green "
            f"and blue: {', '.join(map(str, known))}"
        )
    return [known.index(number) for number in show]


def resized(image: Array, size: tuple[int, int], how: Image.Resampling) -> Array:
    """An image (H, W, C) scaled to a height and width, band by band where Pillow has no mode for so many."""
    height, width = size
    if image.shape[2] == 3:
        return np.asarray(Image.fromarray(image).resize((width, height), how))
    planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(image, 2, 0)]
    return np.stack([np.asarray(plane.resize((width, height), how)) for plane in planes], axis=2)


def describe_bands(numbers: Sequence[int] | None, value_range: ValueRange | None) -> str:
    """How a model or a data set reads images, in words."""
    many = "red, green and blue"
    if numbers is not None:
        many = f"the {len(numbers)} bands {', '.join(map(str, numbers))}" if len(numbers) > 1 else f"band {numbers[0]}"
    return many if value_range is None else f"{many} in the range {describe_range(value_range)}"
