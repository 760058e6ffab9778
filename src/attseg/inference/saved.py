"""Files of results: label files, overlays, and how those that attseg wrote are told from those of others."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, PngImagePlugin

from attseg.data import paint
from attseg.data.classes import ClassTable
from attseg.data.sample import Array
from attseg.files import open_file, replacing

NARROWEST_LEGEND = 240
"""Width in pixels that a legend gets even below a narrower picture."""

LEGEND_STEP = 1000
"""For every so many pixels of width the legend grows by its smallest size, for large pictures are seen scaled down."""

LARGEST_LEGEND = 8
"""Times its smallest size at which the legend stops growing."""

LARGEST_JPEG = 65_000
"""Longest side, in pixels, of an overlay that is saved; JPEG ends a little above."""

Further = Literal["probabilities", "geojson", "labelme", "coco"]
"""Files that can be saved beside labels and overlay."""

_MARK = "attseg"
_CLASSES = "attseg-classes"
_OVERLAY = b"overlay of attseg"


class SavedFiles(NamedTuple):
    """Where a result was written: the label file and the overlay."""

    labels: Path
    overlay: Path


def saved_files(folder: Path, name: str, suffixes: tuple[str, str] = (".png", ".jpg")) -> SavedFiles:
    """Where the files of a result lie below a folder."""
    return SavedFiles(folder / "labels" / f"{name}{suffixes[0]}", folder / "overlays" / f"{name}{suffixes[1]}")


def save_labels(path: Path, labels: Array, classes: ClassTable, *, mark: str = "") -> None:
    """Write classes (H, W) as a PNG with the values of the data set; ``mark`` is kept in it as a text, for ``read_mark``."""
    values = classes.encode(labels)
    picture = Image.fromarray(values)
    if values.dtype == np.uint8:
        picture.putpalette(classes.file_palette.tobytes())
    notes = PngImagePlugin.PngInfo()
    if mark:
        notes.add_text(_MARK, mark)
    notes.add_text(_CLASSES, describe_values(classes), zip=True)
    with replacing(path) as file:
        # regions are runs: smaller than zlib's default
        picture.save(file, "PNG", pnginfo=notes, compress_type=zlib.Z_RLE)


def overlay(
    image: Array, labels: Array, classes: ClassTable, present: Sequence[int], opacity: float = 0.5
) -> Image.Image:
    """The picture under the colours of its classes, above a strip that names those that are present."""
    colored = Image.fromarray(paint.overlay(image, labels, classes, opacity))
    strip = legend(classes, present, max(colored.width, NARROWEST_LEGEND))
    page = Image.new("RGB", (strip.width, colored.height + strip.height), "white")
    page.paste(colored)
    page.paste(strip, (0, colored.height))
    return page


def legend(classes: ClassTable, present: Sequence[int], width: int) -> Image.Image:
    """A strip that names classes, in letters that grow with the width of the picture."""
    scale = min(max(1, round(width / LEGEND_STEP)), LARGEST_LEGEND)
    return paint.legend(classes, present, width, scale=scale)


def save_overlay(path: Path, picture: Image.Image) -> None:
    """Write an overlay as a JPEG."""
    picture.thumbnail((LARGEST_JPEG, LARGEST_JPEG))
    with replacing(path) as file:
        picture.save(file, "JPEG", quality=92, subsampling=0, comment=_OVERLAY)


def present_classes(labels: Array) -> list[int]:
    """The classes in a picture, the largest first."""
    areas = np.array(Image.fromarray(labels).histogram())
    return [int(index) for index in np.argsort(-areas, kind="stable") if areas[index]]


def read_mark(path: Path) -> str | None:
    """The mark in a label file; None where there is no file, or none with a mark."""
    try:
        with open_file(path) as file, Image.open(file) as picture:
            return picture.info.get(_MARK)
    except OSError:
        return None


def is_overlay(path: Path) -> bool:
    """Whether a file is an overlay that attseg wrote."""
    try:
        with open_file(path) as file, Image.open(file, formats=("JPEG",)) as picture:
            return picture.info.get("comment") == _OVERLAY
    except Exception:  # decoders raise nearly anything on what is no JPEG
        return False


def read_saved_labels(path: Path, classes: ClassTable) -> Array | None:
    """The class indices in a label file that was saved with a class table; None where the file is broken or another's."""
    try:
        with open_file(path) as file, Image.open(file) as picture:
            return classes.decode(np.asarray(picture))
    except OSError:
        return None


def describe_values(classes: ClassTable) -> str:
    """Meaning of the values in a label file, as JSON: the numbering, and the value of each class in order."""
    values = dict(zip(classes.names, classes.values.tolist(), strict=True))
    return json.dumps({"numbering": classes.numbering, "values": values})
