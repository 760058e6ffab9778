"""The result of segmenting one image: labels, scores, overlay, attention."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from attseg.data import paint
from attseg.data.classes import ClassTable
from attseg.data.sample import Array
from attseg.explain.looked import Looked, check_pixel
from attseg.explain.pixel import PixelAttention
from attseg.files import open_file, replacing

NARROWEST_LEGEND = 240
"""Width in pixels that a legend gets even below a narrower picture."""

LEGEND_STEP = 1000
"""For every so many pixels of width the legend grows by its smallest size, for large pictures are seen scaled down."""

LARGEST_LEGEND = 8
"""Times its smallest size at which the legend stops growing."""

LARGEST_JPEG = 65_000
"""Longest side, in pixels, of an overlay that is saved; JPEG ends a little above."""


class SavedFiles(NamedTuple):
    """Where a result was written: the label file and the overlay."""

    labels: Path
    overlay: Path


@dataclass(frozen=True, eq=False)
class Result:
    """A segmented picture. In a notebook it shows itself.

    Args:
        image: (H, W, 3) the picture as it was seen: upright, red, green, blue.
        labels: (H, W) the class index of each pixel, 0..K-1: ``classes.names[index]`` is its name. Label files of the data set,
            and those that ``save`` writes, may hold other values: ``classes.encode(labels)``.
        scores: (H, W) the probability of that class, in 0..1, as the network sees it.
        classes: Names and colours of the classes.
        name: What saved files are called: where the picture comes from a file, its name without the suffix.
    """

    image: Array
    labels: Array
    scores: npt.NDArray[np.float32]
    classes: ClassTable
    name: str
    _look: Callable[[], Looked] = field(repr=False)

    def __repr__(self) -> str:
        height, width = self.labels.shape
        return f"Result({self.name!r}, {height} x {width}, {', '.join(self.names)})"

    @cached_property
    def _present(self) -> list[int]:
        """The classes in the picture, the largest first."""
        areas = np.array(Image.fromarray(self.labels).histogram())
        order = np.argsort(-areas, kind="stable")
        return [int(index) for index in order if areas[index]]

    @property
    def names(self) -> list[str]:
        """Names of the classes in the picture, the one with the largest area first."""
        return [self.classes.names[index] for index in self._present]

    def overlay(self, opacity: float = 0.5, *, legend: bool = True) -> Image.Image:
        """The picture under the colours of its classes.

        Args:
            opacity: Share of the colours, from 0 (only the picture) to 1 (only the colours).
            legend: Whether a strip below the picture names the colours; it makes the result higher than the picture.

        Raises:
            UsageError: The opacity is not in 0..1.
        """
        colored = Image.fromarray(paint.overlay(self.image, self.labels, self.classes, opacity))
        if not legend:
            return colored
        width = max(colored.width, NARROWEST_LEGEND)
        strip = paint.legend(
            self.classes, self._present, width, scale=min(max(1, round(width / LEGEND_STEP)), LARGEST_LEGEND)
        )
        page = Image.new("RGB", (strip.width, colored.height + strip.height), "white")
        page.paste(colored)
        page.paste(strip, (0, colored.height))
        return page

    def attention(self, x: int, y: int) -> list[PixelAttention]:
        """Attention of a pixel in each map of the network, in the order in which the network computes them.

        The first call runs the network once more on the whole picture; what it kept answers all that follow. A network without
        attention has no maps.

        Args:
            x: Column, from the left.
            y: Row, from the top.

        Raises:
            UsageError: There is no such pixel.
        """
        height, width = self.labels.shape
        check_pixel(x, y, (height, width))
        return self.looked.at(x, y)

    @cached_property
    def looked(self) -> Looked:
        """The network's view of the whole picture: all its attention maps, and its scores for all classes."""
        return self._look()

    def save(self, folder: str | Path) -> SavedFiles:
        """Write ``labels/NAME.png`` and ``overlays/NAME.jpg`` below a folder, which is made if it is not there.

        The label file holds ``classes.encode(labels)``, the values that label files of the data set have for the classes, so that
        it can stand in for one: 7 is road for labelIds of Cityscapes, 1 is wall for ADE20K. Weights written by attseg 0.1.0 do
        not record these values; the file then holds class indices. The text ``attseg-classes`` in the file says which, and what
        each value means. A palette has the colours; a file with values above 255 is 16-bit gray and has none.

        Raises:
            FileError: A file cannot be written.
        """
        files = saved_files(Path(folder), self.name)
        self.save_overlay(files.overlay)
        self.save_labels(files.labels)
        return files

    def save_labels(self, path: Path, *, mark: str = "") -> None:
        """Write the labels as a PNG, as ``save`` says; ``mark`` is kept in it as a text, for ``read_mark``."""
        values = self.classes.encode(self.labels)
        picture = Image.fromarray(values)
        if values.dtype == np.uint8:
            picture.putpalette(self.classes.file_palette.tobytes())
        notes = PngImagePlugin.PngInfo()
        if mark:
            notes.add_text(_MARK, mark)
        notes.add_text(_CLASSES, describe_values(self.classes), zip=True)
        with replacing(path) as file:
            picture.save(file, "PNG", pnginfo=notes)

    def save_overlay(self, path: Path) -> None:
        """Write the overlay with its legend as a JPEG."""
        picture = self.overlay()
        picture.thumbnail((LARGEST_JPEG, LARGEST_JPEG))
        with replacing(path) as file:
            picture.save(file, "JPEG", quality=92, subsampling=0, comment=_OVERLAY)

    def show(self, *, at: tuple[int, int] | None = None) -> None:
        """Show the picture and its overlay side by side, with matplotlib: in a notebook, or in a window.

        Args:
            at: A pixel (x, y): shows what every attention map of the network holds for it, too.

        Raises:
            UsageError: There is no such pixel.
        """
        from matplotlib import pyplot

        if at is not None:
            self._show_pixel(*at)
            return
        figure, axes = pyplot.subplots(1, 2, figsize=(12, 5), layout="constrained")
        for axis, picture in zip(axes, (Image.fromarray(self.image), self.overlay()), strict=True):
            axis.imshow(picture)
            axis.set_anchor("N")
            axis.axis("off")
        figure.suptitle(self.name)
        pyplot.show()

    def _show_pixel(self, x: int, y: int) -> None:
        from matplotlib import pyplot

        from attseg.explain.figures.panels import sheet
        from attseg.explain.figures.pixel import draw_pixel, shape_of

        height, width = self.labels.shape
        check_pixel(x, y, (height, width))
        rows, columns = shape_of(self)
        size = sheet(rows, columns, self.image, bars=columns, extra=0.4).get_size_inches()
        figure = pyplot.figure(figsize=(size[0], size[1]), layout="constrained")
        draw_pixel(figure, self, x, y)
        figure.suptitle(f"{self.name}, pixel x={x}, y={y}", parse_math=False)
        pyplot.show()

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.overlay().save(buffer, "PNG")
        return buffer.getvalue()


def saved_files(folder: Path, name: str) -> SavedFiles:
    """Where the files of a result lie below a folder."""
    return SavedFiles(folder / "labels" / f"{name}.png", folder / "overlays" / f"{name}.jpg")


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


_MARK = "attseg"
_CLASSES = "attseg-classes"
_OVERLAY = b"overlay of attseg"
