"""Segments a raster of any size into a label raster: a GeoTIFF with the georeference, a palette and a value for no data."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.bulk.raster import describe_place, georeference, need_rasterio, open_raster
from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sample import DataError
from attseg.data.wording import percent
from attseg.errors import UsageError
from attseg.files import FileError, making, obstacle, refuse_in_place
from attseg.inference.saved import describe_values
from attseg.inference.segmenter import Segmenter
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE
from attseg.prediction.stream import OnViews

TILE = 256
"""Side of the tiles of a label raster, and rows that are written together."""

WINDOW = 512
"""Side of the windows where the protocol has none."""

SUFFIXES = (".tif", ".tiff")

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Labelled:
    """A label raster that was written.

    Args:
        size: Height and width.
        place: Its georeference, in words.
        areas: Pixels of each class.
        missing: Pixels without data.
        nodata: The value of pixels without data.
        bands: Bands of the raster that were read, of how many.
        protocol: How it was seen.
    """

    size: tuple[int, int]
    place: str
    areas: dict[str, int]
    missing: int
    nodata: int
    bands: tuple[list[int], int]
    protocol: Protocol

    def describe(self) -> Iterator[str]:
        """Lines for people."""
        height, width = self.size
        yield f"{height} x {width} pixels (height x width), {self.place}"
        read, count = self.bands
        if len(read) < count:
            yield f"bands {', '.join(map(str, read))} of {count} were read"
        yield f"seen {self.protocol.describe()}"
        total = height * width
        shares = sorted(self.areas.items(), key=lambda item: -item[1])
        yield ", ".join(f"{name} {percent(pixels, total)}" for name, pixels in shares if pixels) or "no pixel has data"
        if self.missing:
            yield f"no data {percent(self.missing, total)}, which have the value {self.nodata}"


def raster_protocol(protocol: Protocol = SINGLE) -> Protocol:
    """A protocol in windows that are blended into each other, so that no border of a window shows."""
    name = f"{protocol.name}, blended"
    return replace(protocol, name=name, window=protocol.window or WINDOW, blend="tapered")


def label_raster(
    segmenter: Segmenter,
    path: Path,
    out: Path,
    *,
    protocol: Protocol = SINGLE,
    memory: int | None = None,
    on_views: OnViews | None = None,
) -> Labelled:
    """Segment a raster, and write its labels as a GeoTIFF, at once or not at all.

    The raster is read in windows, and the labels are written row of tiles by row of tiles, so that neither stands in memory: what
    does are about two rows of windows, and the scores of the rows that windows still overlap. Label values are those of the data
    set's own label files. Pixels without data (a nodata value or NaN in all bands that are read, a mask, an alpha band) get a
    value that no class has, which the file names as its nodata value: 255 unless a class has it.

    Args:
        segmenter: The model.
        path: The raster.
        out: The GeoTIFF; an existing one is replaced.
        protocol: How it is seen; without a window it gets one of ``WINDOW``, and windows are blended in any case.
        memory: MiB for a batch of windows.
        on_views: Called on the way with how many windows are done, and how many there are.

    Raises:
        UsageError: rasterio is not installed, the two files are one, or the model gives no scores.
        DataError: The raster cannot be read, or lacks a band.
        FileError: The labels cannot be written.
    """
    need_rasterio()
    if out.exists() and path.exists() and out.samefile(path):
        raise UsageError(
            f"the labels would replace the raster {path} that they are made of; choose another name (--out)"
        )
    protocol = raster_protocol(protocol)
    classes = segmenter.classes
    nodata = free_value(classes)
    counts, missing = np.zeros(len(classes), np.int64), 0
    predictor = segmenter.predictor(protocol, memory)
    with open_raster(path, segmenter.preprocessing, segmenter.device, window=protocol.window) as raster:
        height, width, _ = raster.shape
        with _writing(out, raster.dataset, classes, nodata) as write:
            for band in predictor.bands(raster, on_views):
                labels = band.labels()
                values = classes.encode(labels).astype(_dtype(classes, nodata))
                without = raster.missing(band.top, band.top + band.height)
                if without is not None:
                    values[without] = nodata
                    missing += int(without.sum())
                    labels = labels[~without]
                counts += np.bincount(labels.ravel(), minlength=len(classes))
                write(values)
        return Labelled(
            (height, width),
            describe_place(raster.dataset),
            dict(zip(classes.names, counts.tolist(), strict=True)),
            missing,
            nodata,
            (raster.numbers, raster.dataset.count),
            protocol,
        )


def free_value(classes: ClassTable) -> int:
    """A label value that no class has, for pixels without data: 255, or else one that is ignored, or else the first.

    Example:
        >>> free_value(ClassTable(("a", "b"), ((0, 0, 0), (1, 1, 1))))
        255
    """
    taken = set(classes.values.tolist())
    ignored = [raw for raw, meaning in enumerate(classes.lookup.tolist()) if meaning == IGNORE]
    return next(value for value in (255, *ignored, *range(2**16)) if value not in taken)


def _dtype(classes: ClassTable, nodata: int) -> type[np.uint8] | type[np.uint16]:
    return np.uint8 if max(nodata, *classes.values.tolist()) < 256 else np.uint16


@contextmanager
def _writing(out: Path, source: Any, classes: ClassTable, nodata: int) -> Iterator[Any]:
    """A label raster that is written from the top, some rows at a time; it gets its name when the block ends well.

    What was written is read back and compared first: GDAL tells of a full disk only as it closes a file, if at all.
    """
    rasterio = need_rasterio()
    part = out.with_name(f".attseg-{secrets.token_hex(8)}.part")
    dtype = _dtype(classes, nodata)
    try:
        refuse_in_place(out)
        with making(out.parent):
            try:
                writer = _Writer(part, source, classes, nodata, dtype)
                with writer.dataset:
                    yield writer.add
                    writer.finish()
                writer.compare()
                part.replace(out)
            finally:
                for left in (part, part.with_name(f"{part.name}.aux.xml")):
                    with suppress(OSError):
                        left.unlink()
    except (FileError, DataError):
        raise
    except rasterio.errors.RasterioError as error:
        raise FileError(f"cannot write {out}: {error}; free space, or choose another folder") from error
    except OSError as error:
        raise FileError(f"cannot write {out}: {obstacle(error, out)}") from error


class _Writer:
    """Collects rows to whole rows of tiles, so that each tile is compressed once."""

    def __init__(self, part: Path, source: Any, classes: ClassTable, nodata: int, dtype: Any) -> None:
        rasterio = need_rasterio()
        self.part = part
        self.width, self.height = source.width, source.height
        self.dataset = rasterio.open(
            part,
            "w",
            driver="GTiff",
            width=self.width,
            height=self.height,
            count=1,
            dtype=dtype,
            nodata=nodata,
            tiled=True,
            blockxsize=TILE,
            blockysize=TILE,
            compress="deflate",
            BIGTIFF="IF_SAFER",
            **georeference(source),
        )
        if source.rpcs is not None:
            self.dataset.rpcs = source.rpcs
        if dtype is np.uint8:
            self.dataset.write_colormap(
                1, {value: (*color, 255) for value, color in enumerate(classes.file_palette.tolist())}
            )
        if (area := source.tags().get("AREA_OR_POINT")) is not None:
            self.dataset.update_tags(AREA_OR_POINT=area)
        self.dataset.update_tags(**{"attseg-classes": describe_values(classes)})
        self.dataset.set_band_description(1, "class")
        self._waiting: list[Values] = []
        self._rows = 0
        self._top = 0
        self._sums: list[int] = []

    def add(self, values: Values) -> None:
        """Take rows (h, W); whole rows of tiles are written."""
        self._waiting.append(values)
        self._rows += len(values)
        if self._rows >= TILE:
            rows = np.concatenate(self._waiting)
            whole = len(rows) // TILE * TILE
            for top in range(0, whole, TILE):
                self._write(rows[top : top + TILE])
            self._waiting, self._rows = [rows[whole:]], len(rows) - whole

    def finish(self) -> None:
        """Write the rows that are left."""
        if self._rows:
            self._write(np.concatenate(self._waiting))

    def _write(self, rows: Values) -> None:
        from rasterio.windows import Window

        self.dataset.write(rows, 1, window=Window(0, self._top, self.width, len(rows)))
        self._sums.append(zlib.crc32(np.ascontiguousarray(rows).data))
        self._top += len(rows)

    def compare(self) -> None:
        """Read the file back.

        Raises:
            FileError: It is not what was written.
        """
        rasterio = need_rasterio()
        with rasterio.open(self.part) as dataset:
            for place, expected in enumerate(self._sums):
                top = place * TILE
                window = rasterio.windows.Window(0, top, self.width, min(TILE, self.height - top))
                if zlib.crc32(np.ascontiguousarray(dataset.read(1, window=window)).data) != expected:
                    raise FileError(
                        f"cannot write {self.part.parent}: the label raster cannot be read back as it was written; free space, "
                        "or choose another folder"
                    )
