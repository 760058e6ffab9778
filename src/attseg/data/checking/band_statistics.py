"""Statistics of chosen bands over a training split: the range of each where none is stated, its mean and its deviation."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from attseg.data.reading.bands import Bands, band_options
from attseg.data.reading.image import read_raw
from attseg.data.reading.opening import telling
from attseg.data.reading.raw import RawImage
from attseg.data.reading.value_range import ValueRange, describe_range
from attseg.data.sample import DataError
from attseg.data.wording import percent

SAMPLED = 2**14
"""Pixels of an image, spread evenly over it, from which ranges are proposed."""

TAIL = 0.1
"""Percent of the sampled values on either side that a proposed range leaves out."""

T = TypeVar("T")


@dataclass(frozen=True)
class BandStatistics:
    """Statistics of the bands of a split.

    Args:
        bands: Which ones.
        value_range: The range of each, as stated or proposed; None where the type says it.
        proposed: Whether the range is a proposal.
        mean: Mean of each, on the scale 0..1 of the range.
        std: Standard deviation of each.
        beyond: Share of the values of each that lie beyond its range, and are read as its ends.
        missing: Share of the pixels that hold no data.
        images: How many images were measured.
    """

    bands: tuple[int, ...]
    value_range: ValueRange | None
    proposed: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]
    beyond: tuple[float, ...]
    missing: float
    images: int

    @property
    def options(self) -> str:
        """The options that state all of it, as they are typed."""
        mean, std = (",".join(f"{value:.4f}" for value in values) for values in (self.mean, self.std))
        sign = "=" if min(self.mean) < 0 else " "
        stated = band_options(self.bands, self.value_range)
        return f"{stated} --data.options.mean{sign}{mean} --data.options.std {std}"

    def lines(self) -> Iterator[tuple[str, str]]:
        """Topic and text of each line of a check."""
        yield "bands", f"{', '.join(map(str, self.bands))}, of {self.images} images of the training split"
        how = "proposed, without the outermost 0.1 % of the values" if self.proposed else "as stated"
        if self.value_range is not None:
            yield "range of each band", f"{describe_range(self.value_range)} ({how})"
        yield "mean of each band", ", ".join(f"{value:.4f}" for value in self.mean)
        yield "standard deviation", ", ".join(f"{value:.4f}" for value in self.std)
        if max(self.beyond) > 0:
            shares = ", ".join(f"{100 * share:.2g} %" for share in self.beyond)
            yield "read as the ends of the range", f"{shares} of the values of each band"
        if self.missing:
            yield "without data", f"{percent(round(1e9 * self.missing), 10**9)} of the pixels, which are ignored"
        yield "options to train with", self.options


def measure_bands(
    images: Sequence[Path], bands: Bands, value_range: ValueRange | None, *, apply_orientation: bool = True
) -> BandStatistics | None:
    """Measure the bands of some images; those that cannot be read are left out. None where nothing could be measured.

    Values of bytes need no range. Where none is stated for others, one is proposed for each band from up to ``SAMPLED`` pixels of
    each image. Means and deviations are then those of every pixel with data, as bytes of that range.

    Args:
        images: Image files.
        bands: Which bands.
        value_range: As stated; None where it is not.
        apply_orientation: Whether images are turned upright.
    """
    read = partial(_read, bands=bands, apply_orientation=apply_orientation)
    proposed = False
    if value_range is None:
        samples = list(_each(lambda path: _sample(read(path)), images))
        if any(white != 255 for white, _ in samples):
            value_range = _propose([values for _, values in samples], len(bands))
            proposed = value_range is not None
            if not proposed:
                return None
    counts = np.zeros((len(bands), 256), np.int64)
    beyond, total, missing, measured = np.zeros(len(bands), np.int64), 0, 0, 0
    for found, outside, without, pixels in _each(lambda path: _count(read(path), value_range), images):
        counts += found
        beyond += outside
        missing, total, measured = missing + without, total + pixels, measured + 1
    seen = counts.sum(1)
    if not measured or not seen.min():
        return None
    levels = np.arange(256) / 255
    mean = counts @ levels / seen
    std = np.sqrt((counts * np.square(levels - mean[:, None])).sum(1) / seen)
    return BandStatistics(
        bands.numbers,
        value_range,
        proposed,
        tuple(mean.tolist()),
        tuple(max(value, 1e-4) for value in std.tolist()),
        tuple((beyond / seen).tolist()),
        missing / total,
        measured,
    )


def _read(path: Path, *, bands: Bands, apply_orientation: bool) -> RawImage:
    return read_raw(path, bands=bands.numbers, apply_orientation=apply_orientation)


def _each(work: Callable[[Path], T], images: Sequence[Path]) -> Iterator[T]:
    """The results over all images in their order, without those of images that cannot be read, of which the check tells."""

    def one(path: Path) -> T | None:
        try:
            with telling(path):
                return work(path)
        except (DataError, OSError):
            return None

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        yield from (found for found in pool.map(one, images) if found is not None)


def _sample(raw: RawImage) -> tuple[int | None, npt.NDArray[Any]]:
    """The white value of the type, and (N, C) values of pixels with data, spread evenly over the image."""
    values = raw.values.reshape(-1, raw.values.shape[2])
    values = values[:: max(1, len(values) // SAMPLED)]
    return raw.white, values[~_without(values, raw.nodata)]


def _without(values: npt.NDArray[Any], nodata: float | None) -> npt.NDArray[np.bool_]:
    """(N,) Which pixels (N, C) hold no data in any band."""
    gone = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, np.bool_)
    if nodata is not None and not math.isnan(nodata):
        gone = gone | (values == nodata)
    return np.asarray(gone.all(1))


def _propose(samples: Sequence[npt.NDArray[Any]], bands: int) -> ValueRange | None:
    """A range for each band that leaves out the outermost values, rounded outward."""
    numbers: list[float] = []
    for band in range(bands):
        values = np.concatenate([each[:, band].astype(np.float64) for each in samples])
        values = values[np.isfinite(values)]
        if not values.size:
            return None
        low, high = np.percentile(values, (TAIL, 100 - TAIL))
        span = high - low or max(abs(high), 1.0)
        unit = 10.0 ** (math.floor(math.log10(span)) - 1)
        low, high = (math.floor(low / unit) * unit, math.ceil((low + span) / unit) * unit)
        if values.min() >= 0 and low < span / 10:
            low = 0.0
        numbers += [round(low, 12), round(high, 12)]
    return tuple(int(value) if value == int(value) else value for value in numbers)


def _count(
    raw: RawImage, value_range: ValueRange | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int, int]:
    """How often each byte occurs in each band, how many values lie beyond, and how many pixels have no data, of how many."""
    scaled, without = raw.to_bands(value_range)
    kept = np.ones(scaled.shape[:2], np.bool_) if without is None else ~without
    count = scaled.shape[2]
    beyond = np.zeros(count, np.int64)
    histogram = np.zeros((count, 256), np.int64)
    for band in range(count):
        plane, here = raw.values[..., band], kept
        if plane.dtype.kind == "f":
            here = here & np.isfinite(plane)
        if value_range is not None:
            low, high = value_range[2 * band : 2 * band + 2] if len(value_range) > 2 else value_range
            if raw.nodata is not None and not low <= raw.nodata <= high:
                here = here & (plane != raw.nodata)
            beyond[band] = int((here & ((plane < low) | (plane > high))).sum())
        histogram[band] = np.bincount(scaled[..., band][here], minlength=256)
    return histogram, beyond, int(scaled.shape[0] * scaled.shape[1] - kept.sum()), int(kept.size)
