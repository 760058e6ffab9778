"""Reads GeoTIFF and other rasters of any size in parts, with rasterio: as a model sees them, and what goes with them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attseg.data.preprocessing import Preprocessing
from attseg.data.reading.bands import check_count, scale_bands
from attseg.data.reading.value_range import to_bytes
from attseg.data.sample import Array, DataError
from attseg.errors import UsageError
from attseg.extras import install_command
from attseg.files import require_file

CACHE = (64, 1024)
"""MiB of decoded blocks that GDAL keeps, at least and at most: as many as two rows of windows have."""


class Raster:
    """The bands of a raster file that a model sees, read in parts. A ``PixelSource`` for ``Predictor.bands``.

    Args:
        path: The file.
        dataset: As rasterio has opened it.
        preprocessing: Of the model: its bands and value range.
        device: Where the network is.

    Raises:
        DataError: A band is missing, or the values are no real numbers.
    """

    def __init__(self, path: Path, dataset: Any, preprocessing: Preprocessing, device: torch.device) -> None:
        self.path = path
        self.dataset = dataset
        self.device = device
        self._preprocessing = preprocessing
        try:
            self.numbers = _numbers(dataset, preprocessing)
        except DataError as error:
            raise DataError(f"{path} {error}") from None
        self.shape: tuple[int, int, int] = (dataset.height, dataset.width, preprocessing.channels)
        types = {np.dtype(dataset.dtypes[number - 1]) for number in self.numbers}
        if len(types) > 1 or next(iter(types)).kind not in "uif":
            raise DataError(
                f"{path} holds {', '.join(sorted(map(str, types)))} values in the bands that are read; real numbers of one type "
                "were expected"
            )
        self.dtype = types.pop()
        self._white = int(np.iinfo(self.dtype).max) if self.dtype in (np.uint8, np.uint16) else None
        self._nodata = [dataset.nodatavals[number - 1] for number in self.numbers]
        self._masked = any(_has_mask(flags) for flags in dataset.mask_flag_enums)
        colours = [interpretation.name for interpretation in dataset.colorinterp]
        alpha = colours.index("alpha") + 1 if "alpha" in colours else 0
        # GDAL calls the fourth of four bands so unless told otherwise
        self._alpha = 0 if alpha in self.numbers else alpha

    @property
    def may_lack_data(self) -> bool:
        """Whether pixels may hold no data: by a nodata value, a mask, an alpha band, or NaN."""
        return (
            self._masked
            or self._alpha > 0
            or self.dtype.kind == "f"
            or any(value is not None for value in self._nodata)
        )

    def crop(self, top: int, bottom: int, left: int, right: int) -> Tensor:
        """(h, w, C) A part as bytes; errors as of ``read``."""
        return torch.from_numpy(self.read(top, bottom, left, right)[0]).to(self.device)

    def read(self, top: int, bottom: int, left: int, right: int) -> tuple[Array, npt.NDArray[np.bool_] | None]:
        """A part as bytes (h, w, C), and which of its pixels hold no data (h, w); None where all do.

        Raises:
            DataError: The file is damaged there, or holds values beyond the range of a model of red, green and blue.
        """
        from rasterio.errors import RasterioError
        from rasterio.windows import Window

        window = Window(left, top, right - left, bottom - top)
        try:
            values = np.moveaxis(self.dataset.read(self.numbers, window=window), 0, 2)
            masked = self.dataset.read_masks(self.numbers[0], window=window) == 0 if self._masked else None
            if self._alpha:
                clear = self.dataset.read(self._alpha, window=window) == 0
                masked = clear if masked is None else masked | clear
        except RasterioError as error:
            raise DataError(f"{self.path} cannot be read at row {top}, column {left}: {error}; replace it") from error
        try:
            return self._to_bytes(values, masked)
        except DataError as error:
            raise DataError(f"{self.path} {error}") from None

    def missing(self, top: int, bottom: int) -> npt.NDArray[np.bool_] | None:
        """(bottom - top, W) Which pixels of some rows hold no data; None where all do."""
        return self.read(top, bottom, 0, self.shape[1])[1] if self.may_lack_data else None

    def _to_bytes(
        self, values: npt.NDArray[Any], masked: npt.NDArray[np.bool_] | None
    ) -> tuple[Array, npt.NDArray[np.bool_] | None]:
        preprocessing = self._preprocessing
        fill = [min(255, max(0, round(255 * value))) for value in preprocessing.mean][: values.shape[2]]
        value_range = preprocessing.value_range
        scaled, without = scale_bands(values, self._white, value_range, fill=fill, nodata=self._nodata)
        if masked is not None:
            without = masked if without is None else masked | without
            scaled[without] = fill
        if preprocessing.bands is None:
            seen = values if without is None else values[~without]
            if seen.size and value_range is not None:
                to_bytes(seen, self._white, value_range)  # refuses values beyond the range, which chosen bands clip
            if scaled.shape[2] == 1:
                scaled = np.repeat(scaled, 3, axis=2)
        return scaled, None if without is None or not without.any() else without


@contextmanager
def open_raster(path: Path, preprocessing: Preprocessing, device: torch.device, *, window: int) -> Iterator[Raster]:
    """Open a raster to be read by a model.

    Args:
        path: The file, of any format that GDAL reads.
        preprocessing: Of the model.
        device: Where the network is.
        window: Rows that are read together, for the size of GDAL's cache.

    Raises:
        UsageError: rasterio is not installed.
        DataError: The file cannot be opened, or lacks a band.
    """
    rasterio = need_rasterio()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio's own use of affine
        try:
            dataset = rasterio.open(require_file(path))
        except rasterio.errors.RasterioIOError as error:
            raise DataError(f"{path} cannot be read as a raster: {error}; replace it, or name another file") from error
        with dataset:
            row = dataset.width * 2 * window * sum(np.dtype(kind).itemsize for kind in dataset.dtypes)
            cache = min(CACHE[1], max(CACHE[0], row // 2**20))
            with rasterio.Env(GDAL_CACHEMAX=cache * 2**20):
                yield Raster(path, dataset, preprocessing, device)


def need_rasterio() -> Any:
    """The package rasterio, with its errors.

    Raises:
        UsageError: It is not installed; the message has the command that installs it.
    """
    try:
        import rasterio
        import rasterio.errors
        import rasterio.windows
    except ImportError as error:
        raise UsageError(
            f"rasters of any size are read with rasterio, which cannot be imported ({error}): {install_command('geo')}"
        ) from None
    return rasterio


def georeference(dataset: Any) -> Mapping[str, Any]:
    """Where a raster lies, as arguments for a new one: its reference system with a transform or ground control points."""
    points, system = dataset.gcps
    if points:
        return {"gcps": points, "crs": system}
    found = {"crs": dataset.crs, "transform": dataset.transform}
    if dataset.crs is None and dataset.transform.is_identity:
        return {}
    return {name: value for name, value in found.items() if value is not None}


def _has_mask(flags: Any) -> bool:
    """Whether a band has a mask of its own, beside a nodata value or an alpha band."""
    names = {flag.name for flag in flags}
    return "per_dataset" in names and "alpha" not in names


def _numbers(dataset: Any, preprocessing: Preprocessing) -> list[int]:
    """The bands that are read, counted from 1; errors are ends of sentences."""
    colours = [interpretation.name for interpretation in dataset.colorinterp]
    if preprocessing.bands is not None:
        check_count(dataset.count, preprocessing.bands)
        return list(preprocessing.bands)
    if "palette" in colours:
        raise DataError(
            "holds indices of a palette, and the model sees red, green and blue; convert it (gdal_translate -expand rgb)"
        )
    known = [number for number, colour in enumerate(colours, 1) if colour != "alpha"]
    if len(known) == 2:
        raise DataError(
            "has 2 bands, and the model sees red, green and blue; give a raster of 1 band (gray), or of 3 and more, or train a "
            "model on these bands (--data.options.bands 1,2)"
        )
    return known[:3] if len(known) >= 3 else known[:1]


def describe_place(dataset: Any) -> str:
    """The reference system and the size of a pixel, in words.

    Example:
        ``EPSG:32633, pixels of 10 x 10``
    """
    points, system = dataset.gcps
    system = system if points else dataset.crs
    if system is None and not points and dataset.transform.is_identity:
        return "no georeference"
    named = f"EPSG:{code}" if system is not None and (code := system.to_epsg()) else "a reference system without a code"
    if points:
        return f"{named}, {len(points)} ground control points"
    transform = dataset.transform
    return f"{named}, pixels of {math.hypot(transform.a, transform.d):g} x {math.hypot(transform.b, transform.e):g}"
