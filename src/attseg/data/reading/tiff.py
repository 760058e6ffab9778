"""Reading TIFF files with tifffile: bounded before anything is decoded, one image a file, bands as they are stored."""

from __future__ import annotations

import logging
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from attseg.data.reading.bounded import Pieces
from attseg.data.reading.opening import MAX_PIXELS, check_size
from attseg.data.reading.raw import upright
from attseg.data.reading.tiff_image import JPEG, RGB, YCBCR, TiffImage
from attseg.data.reading.tiff_tags import MAX_PAGES, check_tags, stated_size
from attseg.data.sample import DataError
from attseg.data.wording import amount

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

MAX_BYTES = 2**30
"""Decoded bytes of all bands together, with what tiles add beyond the border."""

MAX_SEGMENTS = 2**16
"""Strips and tiles."""

MAX_TABLES = 8192
"""Bytes of the tables that JPEG segments share, which are read anew for each; all that JPEG knows take 2,500."""

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

CODECS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946, 50000}
"""Compressions whose output is bounded: none, CCITT, LZW, JPEG, deflate, PackBits, Zstandard."""

GDAL_NODATA = 42113
ALPHA = (1, 2)
"""Extra samples that the file declares to be opacity."""


def is_tiff(file: IO[bytes]) -> bool:
    """Whether an open file begins as a TIFF; its position stays."""
    place = file.tell()
    start = file.read(4)
    file.seek(place)
    return start in SIGNATURES


def read_tiff(file: IO[bytes], *, apply_orientation: bool = True, max_pixels: int = MAX_PIXELS) -> TiffImage:
    """Read the image of a TIFF file.

    Overviews, thumbnails and masks that are marked as such do not count as images.

    Args:
        file: Opened for reading in binary.
        apply_orientation: Whether the image is turned upright.
        max_pixels: Height times width of the largest image that is read.

    Raises:
        DataError: The file is damaged, too large, or holds several pages, a volume, or a compression that is not read. The
            message is the end of a sentence that begins with the file.
    """
    from tifffile import TiffFile

    logger = logging.getLogger("tifffile")
    if not logger.handlers:  # what it logs about damaged files is told by our errors
        logger.addHandler(logging.NullHandler())
    try:
        check_tags(file)
        with TiffFile(file, _multifile=False, **_PLAIN) as tiff:
            page = _only_page(tiff)
            _check_bounds(page, max_pixels)
            values = _decode(page)
            orientation = int(page.tags.valueof(274, 1))
            return TiffImage(
                upright(values, orientation) if apply_orientation else values,
                RGB if page.compression == JPEG and page.photometric == YCBCR else int(page.photometric),
                int(page.bitspersample),
                tuple(
                    page.samplesperpixel - len(page.extrasamples) + place
                    for place, kind in enumerate(page.extrasamples)
                    if int(kind) in ALPHA
                ),
                page.colormap,
                orientation,
                int(page.compression),
                _nodata(page),
            )
    except DataError:
        raise
    except Exception as error:  # tifffile raises nearly anything on damaged files
        first = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise DataError(f"cannot be read as a picture: {first[0][:200]}; replace or remove it") from error


_PLAIN: dict[str, Any] = {f"is_{kind}": False for kind in ("ome", "lsm", "ndpi", "scanimage")}
"""Formats of microscopes whose own lists of pages are not followed: they may lead to other files."""


def _only_page(tiff: TiffFile) -> TiffPage:
    pages: list[TiffPage] = []
    for index in range(MAX_PAGES + 1):
        try:
            pages.append(cast("TiffPage", tiff.pages[index]))
        except IndexError:
            break
    images = [page for page in pages if not (page.is_reduced or page.is_mask)] or pages[:1]
    if not images:
        raise DataError("cannot be read as a picture: it has no page; replace or remove it")
    number = max(len(images), _stacked(tiff, images[0]))
    if number > 1:
        told = f"more than {MAX_PAGES}" if len(pages) > MAX_PAGES else number
        raise DataError(
            f"has {told} pages, and which of them is meant is not known: save each image as a file of its "
            "own (with tiffsplit or ImageMagick)"
        )
    return images[0]


def _stacked(tiff: TiffFile, page: TiffPage) -> int:
    """Images that lie behind the first one without a page of their own, as ImageJ and tifffile may write them."""
    if page.imagedepth > 1:
        return int(page.imagedepth)
    if tiff.is_imagej:
        return int((tiff.imagej_metadata or {}).get("images", 1))
    if tiff.is_stk:
        return int((tiff.stk_metadata or {}).get("NumberPlanes", 1))
    stated = stated_size(page.shaped_description or "") * (page.dtype.itemsize if page.dtype else 1)
    behind = page.is_contiguous and page.dataoffsets[0] + stated <= tiff.filehandle.size
    return stated // max(1, page.nbytes) if behind else 1


def _check_bounds(page: TiffPage, max_pixels: int) -> None:
    """Refuse what would take too much memory or time, by the tags alone."""
    sides = (
        page.imagewidth,
        page.imagelength,
        page.samplesperpixel,
        page.rowsperstrip,
        page.tilewidth,
        page.tilelength,
    )
    if not all(isinstance(side, int) and side >= 0 for side in sides):  # a damaged tag may hold many numbers
        raise DataError("cannot be read as a picture: its sizes are no single numbers; replace or remove it")
    check_size(page.imagewidth, page.imagelength, max_pixels)
    if page.dtype is None or not isinstance(page.bitspersample, int):
        raise DataError("has bands of different or unknown types, which are not read; save it with one type")
    if page.dtype.kind not in "buif":
        raise DataError(f"holds {page.dtype} values, which are no image; save real numbers")
    if int(page.compression) not in CODECS:
        raise DataError(f"is compressed with {_name(page.compression)}, which is not read; save it with LZW or deflate")
    height, width = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    segments = len(page.dataoffsets)
    inside = page.samplesperpixel if page.planarconfig == 1 else 1
    if segments > MAX_SEGMENTS:
        raise DataError(
            f"is cut into {segments} strips or tiles; at most {MAX_SEGMENTS} are read: save it with larger ones"
        )
    stored = page.dtype.itemsize * inside * height * width * max(1, segments)
    needed = max(stored, page.dtype.itemsize * page.samplesperpixel * page.imagelength * page.imagewidth)
    if needed > MAX_BYTES:
        raise DataError(
            f"takes {amount(needed)} of memory; at most {amount(MAX_BYTES)} are read: cut it into smaller images"
        )
    counts, size = page.databytecounts, page.parent.filehandle.size
    short = not page.is_contiguous and segments < int(np.prod(page.chunked, dtype=object))
    if short or max(counts, default=0) > size or sum(counts) > 4 * size:
        raise DataError(
            "cannot be read as a picture: it ends too early, or its strips do not fit the file; replace or remove it"
        )
    if page.compression == JPEG:
        _check_jpeg(page, height, width)


def _check_jpeg(page: TiffPage, height: int, width: int) -> None:
    """Refuse JPEG segments that are larger than the tags say, or together made of too many pieces."""
    tables = page.jpegtables or b""
    if len(tables) > MAX_TABLES:
        raise DataError(f"holds JPEG tables of {len(tables)} bytes; at most {MAX_TABLES} are read: save it anew")
    pieces = Pieces()
    for segment in page.parent.filehandle.read_segments(page.dataoffsets, page.databytecounts, flat=True):
        stream = cast("bytes", segment[0] or b"")
        pieces.add(stream)
        rows, columns = _jpeg_size(stream)
        if rows > height or columns > width:
            raise DataError("holds JPEG data of another size than its tags say; replace or remove it")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Height and width in the header of a JPEG stream."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
        at += 1 if kind == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4])
    raise DataError("holds JPEG data without a header; replace or remove it")


def _decode(page: TiffPage) -> npt.NDArray[Any]:
    """(H, W, bands) Decoded, bands last."""
    values = page.asarray(squeeze=False, maxworkers=1)  # (bands apart, depth, H, W, bands together)
    if values.ndim != 5 or values.size == 0:
        raise DataError("cannot be read as a picture: it is empty; replace or remove it")
    values = np.moveaxis(values[:, 0, ..., 0], 0, -1) if page.planarconfig == 2 else values[0, 0]
    return values.astype(np.uint8) if values.dtype == bool else values


def _nodata(page: TiffPage) -> float | None:
    """The nodata value of GDAL's tag; None where there is none, or it is no number."""
    try:
        return float(str(page.tags.valueof(GDAL_NODATA)).strip("\0 "))
    except ValueError:
        return None


def _name(member: Any) -> str:
    """The name that tifffile gives a compression or sample format."""
    return str(getattr(member, "name", f"the code {int(member)}"))
