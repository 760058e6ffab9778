"""Writes one picture of an import: its file as it is, and its labels."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.importing.choices import Choices
from attseg.data.importing.classes import Classes
from attseg.data.importing.export import Annotation, Entry, Export, Size, as_written_by
from attseg.data.importing.painting import paint
from attseg.data.reading.image import read_raw
from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.opening import open_picture
from attseg.data.reading.raw import upright
from attseg.data.sample import Array, DataError
from attseg.files import open_file, require_file

CROWD = "\0crowd"
"""Label of regions that are ignored as a crowd."""


@dataclass
class EntryContents:
    """The contents of an entry, before classes are chosen.

    Args:
        image: File of its picture; None where it is embedded.
        stored: Height and width of the picture as stored.
        orientation: Of EXIF.
        shapes: How often each label occurs, by whether it is a box and whether it is a crowd.
        left_out: Shapes without an area, by kind.
    """

    image: Path | None
    stored: Size
    orientation: int = 1
    shapes: Counter[tuple[str, bool, bool]] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)


class Placed(NamedTuple):
    """A picture with its place in the data set."""

    entry: Entry
    seen: EntryContents
    split: str


class Written(NamedTuple):
    """The files written for a picture.

    Args:
        pixels: Pixels of each value.
        overlaps: Pixels by the values below and above.
        outside: Regions that lie outside of the picture.
        turned: ``raw`` where labels were turned with the picture; ``unclear`` where sizes do not say whether they had to be.
        linked: Whether the picture is a hard link.
    """

    pixels: Counter[int]
    overlaps: Counter[tuple[int, int]]
    outside: int
    turned: Literal["", "raw", "unclear"]
    linked: bool


def survey(export: Export, entry: Entry) -> EntryContents:
    """Read an entry and its picture, so that what is broken is known before pictures are split.

    Raises:
        DataError: A file is broken, or the sizes of picture and labels differ.
    """
    found = _read(export, entry)
    raw = read_raw(found.image, apply_orientation=False)
    stored = raw.values.shape[0], raw.values.shape[1]
    if found.size not in (None, *(sizes := (stored, _standing(stored, raw.orientation)))):
        rows, columns = found.size or stored
        raise DataError(
            f"its labels are for {rows} x {columns} pixels (height x width), and the picture has "
            f"{sizes[1][0]} x {sizes[1][1]}; find the picture that was labelled"
        )
    shapes: Counter[tuple[str, bool, bool]] = Counter()
    if found.mask is not None:
        shapes.update((name, False, False) for name in found.mask.present())
    shapes.update((region.label, region.box, region.crowd) for region in found.regions)
    image = found.image if isinstance(found.image, Path) else None
    return EntryContents(image, stored, raw.orientation, shapes, found.left_out)


@dataclass(frozen=True)
class SampleWriter:
    """Writes pictures and label files.

    Args:
        export: Where they come from.
        folder: Of the new data set.
        classes: Values of its labels.
        table: The same, as read from its ``classes.csv``.
        choices: What was decided.
        fills_boxes: Whether boxes are filled.
    """

    export: Export
    folder: Path
    classes: Classes
    table: ClassTable
    choices: Choices
    fills_boxes: bool

    def write(self, placed: Placed) -> Written:
        """Write a picture and its labels.

        Raises:
                DataError: A shape is not valid.
            OSError: A file cannot be written.
        """
        found = _read(self.export, placed.entry)
        orientation = placed.seen.orientation
        size, turned = self._orient(found.size, placed.seen.stored, orientation)
        labels, overlaps, outside = self._labels(found, size)
        if turned == "raw":
            labels = np.ascontiguousarray(upright(labels, orientation))
        image = self.folder / "images" / placed.split / f"{placed.entry.name}{_suffix(found.image)}"
        path = self.folder / "labels" / placed.split / f"{placed.entry.name}.png"
        for file in (image, path):
            file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._save(labels, path)
            linked = self._copy(found.image, image)
        except BaseException:  # no label file without its picture
            for file in (image, path):
                with suppress(OSError):
                    file.unlink()
            raise
        counts = np.bincount(labels.ravel(), minlength=IGNORE + 1)
        pixels = Counter({value: int(counts[value]) for value in counts.nonzero()[0].tolist()})
        return Written(pixels, overlaps, outside, turned, linked)

    def _orient(
        self, stated: Size | None, stored: Size, orientation: int
    ) -> tuple[Size, Literal["", "raw", "unclear"]]:
        """The size in which shapes are drawn, and whether the labels have to be turned."""
        standing = _standing(stored, orientation)
        if stated is None:
            stated = standing if self.choices.orientation == "applied" else stored
        if orientation not in range(2, 9):
            return stated, ""
        if standing != stored:
            return stated, "" if stated == standing else "raw"
        return stated, "unclear" if self.choices.orientation == "applied" else "raw"

    def _labels(self, found: Annotation, size: Size) -> tuple[Array, Counter[tuple[int, int]], int]:
        height, width = size
        if found.mask is not None:
            values = [self.classes.values.get(name, self.classes.rest) for name in found.mask.names]
            return np.array(values, np.uint8)[found.mask.values], Counter(), 0
        ignored = self.choices.crowd == "ignore"
        regions = [
            replace(region, label=CROWD) if region.crowd and ignored else region
            for region in found.regions
            if region.label in self.classes.values and (self.fills_boxes or not region.box)
        ]
        return paint(
            regions,
            self.classes.values | {CROWD: IGNORE},
            height,
            width,
            rest=self.classes.rest,
            overlap=self.choices.overlap,
        )

    def _save(self, labels: Array, path: Path) -> None:
        image = Image.fromarray(labels)
        image.putpalette(self.table.file_palette.tobytes())
        content = BytesIO()
        image.save(content, "PNG")
        with open_file(path, "xb") as file:
            file.write(content.getbuffer())

    def _copy(self, image: Path | bytes, place: Path) -> bool:
        """The same bytes in another place; True where they are a hard link."""
        if isinstance(image, Path):
            if self.choices.link:
                with suppress(OSError):  # another disk, or a file system without links
                    os.link(require_file(image).resolve(), place)
                    return True
            with open_file(image) as source, open_file(place, "xb") as target:
                shutil.copyfileobj(source, target, 2**20)
        else:
            with open_file(place, "xb") as target:
                target.write(image)
        return False


def _standing(stored: Size, orientation: int) -> Size:
    """Height and width of a picture that was turned upright."""
    return stored[::-1] if orientation in range(5, 9) else stored


def _read(export: Export, entry: Entry) -> Annotation:
    if entry.picture is not None:
        return Annotation(entry.picture)
    with as_written_by(entry.source, export.title):
        return export.read(entry)


def _suffix(image: Path | bytes) -> str:
    """The suffix of a picture's file; of its content where the file has none of a picture."""
    if isinstance(image, Path) and image.suffix.lower() in SUFFIXES:
        return image.suffix
    if isinstance(image, bytes) and image[:4] in (b"II*\0", b"MM\0*"):
        return ".tif"
    known = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif", "JPEG2000": ".jp2", "PPM": ".ppm"}
    kind = open_picture(image).format
    return known.get(kind, f".{kind.lower()}")
