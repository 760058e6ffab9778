"""The result of segmenting one image: labels, scores, overlay, attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from attseg.data import paint
from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sample import Array
from attseg.errors import UsageError
from attseg.inference.further import check_further, save_coco, save_further
from attseg.inference.polygons import Polygon, polygons
from attseg.inference.saved import Further, SavedFiles, overlay, present_classes, save_labels, save_overlay, saved_files

if TYPE_CHECKING:
    from attseg.explain.change import MapChange
    from attseg.explain.looked import Looked
    from attseg.explain.pixel import PixelAttention
    from attseg.explain.switching import How


@dataclass(frozen=True, eq=False)
class Result:
    """A segmented picture. In a notebook it shows itself.

    Args:
        image: (H, W, 3) the picture as it was seen: upright, red, green, blue; of chosen bands, three of them.
        labels: (H, W) the class index of each pixel, 0..K-1: ``classes.names[index]`` is its name; 255 where a decision left it
            without a class. Label files of the data set, and those that ``save`` writes, may hold other values:
            ``classes.encode(labels)``.
        scores: (H, W) the probability of that class, in 0..1, as the network sees it.
        classes: Names and colours of the classes.
        name: What saved files are called: where the picture comes from a file, its name without the suffix.
        probabilities: (K, H, W) of all classes, where they were asked for (``segmenter(picture, probabilities=True)``).
    """

    image: Array
    labels: Array
    scores: npt.NDArray[np.float32]
    classes: ClassTable
    name: str
    _look: Callable[[], Looked] = field(repr=False)
    probabilities: npt.NDArray[np.float32] | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        height, width = self.labels.shape
        return f"Result({self.name!r}, {height} x {width}, {', '.join(self.names)})"

    @cached_property
    def _present(self) -> list[int]:
        """The classes in the picture, the largest first."""
        return present_classes(self.labels)

    @property
    def names(self) -> list[str]:
        """Names of the classes in the picture, the one with the largest area first."""
        return [self.classes.names[index] for index in self._present if index != IGNORE]

    def polygons(self) -> list[Polygon]:
        """The outlines of all regions, the largest first; ``attseg.inference.polygons.Polygon`` says what is in each."""
        return polygons(self.labels)

    def overlay(self, opacity: float = 0.5, *, legend: bool = True) -> Image.Image:
        """The picture under the colours of its classes.

        Args:
            opacity: Share of the colours, from 0 (only the picture) to 1 (only the colours).
            legend: Whether a strip below the picture names the colours; it makes the result higher than the picture.

        Raises:
            UsageError: The opacity is not in 0..1.
        """
        if not legend:
            return Image.fromarray(paint.overlay(self.image, self.labels, self.classes, opacity))
        return overlay(self.image, self.labels, self.classes, self._present, opacity)

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
        from attseg.explain.looked import check_pixel

        height, width = self.labels.shape
        check_pixel(x, y, (height, width))
        return self.looked.at(x, y)

    def without(self, *maps: str, how: How = "off") -> MapChange:
        """The prediction without some attention maps: which pixels and classes change, and by how much.

        Args:
            *maps: Their names, those of ``looked.maps``, or of a mechanism, such as ``gau``.
            how: ``off``, or ``even``; ``attseg.explain.switching`` says what each means.

        Raises:
            UsageError: There is no such map.

        Example:
            >>> import attseg
            >>> from attseg.data import open_data
            >>> result = attseg.load("demo")(open_data("scenes", "val", size=(64, 96))[0].image)
            >>> result.without("gau", how="even").maps[0]
            'decoder.steps.0.attention'
        """
        from attseg.explain.change import without

        return without(self.looked, maps, how).within(*self.labels.shape)

    @cached_property
    def looked(self) -> Looked:
        """The network's view of the whole picture: all its attention maps, and its scores for all classes."""
        return self._look()

    def save(self, folder: str | Path, *further: Further, of: Sequence[str] = ()) -> SavedFiles:
        """Write ``labels/NAME.png`` and ``overlays/NAME.jpg`` below a folder, which is made if it is not there.

        The label file holds ``classes.encode(labels)``, the values that label files of the data set have for the classes, so that
        it can stand in for one: 7 is road for labelIds of Cityscapes, 1 is wall for ADE20K. Weights written by attseg 0.1.0 do
        not record these values; the file then holds class indices. The text ``attseg-classes`` in the file says which, and what
        each value means. A palette has the colours; a file with values above 255 is 16-bit gray and has none.

        Args:
            folder: The folder.
            *further: What else is written: ``probabilities`` (``probabilities/NAME.npz``, float16), ``geojson``
                (``geojson/NAME.geojson``), ``labelme`` (``labelme/NAME.json``, with the picture in it), ``coco`` (``coco.json``).
            of: Names of the classes whose probabilities are written as pictures of 8 bits in place of all in one file:
                ``probabilities/NAME.INDEX.png``.

        Raises:
            UsageError: There is no such class or kind of file, or the result has no probabilities.
            FileError: A file cannot be written.
        """
        check_further(further, self.classes, of)
        if "probabilities" in further and self.probabilities is None:
            raise UsageError("this result has no probabilities; ask for them: segmenter(picture, probabilities=True)")
        files = saved_files(Path(folder), self.name)
        self.save_overlay(files.overlay)
        self.save_labels(files.labels)
        for what in further:
            save_further(
                Path(folder),
                self.name,
                what,
                self.labels,
                self.classes,
                probabilities=self.probabilities,
                of=[self.classes.names.index(name) for name in of],
                image=self.image,
            )
        if "coco" in further:
            save_coco(Path(folder), [(f"{self.name}.png", self.labels)], self.classes)
        return files

    def save_labels(self, path: Path, *, mark: str = "") -> None:
        """Write the labels as a PNG, as ``save`` says; ``mark`` is kept in it as a text."""
        save_labels(path, self.labels, self.classes, mark=mark)

    def save_overlay(self, path: Path) -> None:
        """Write the overlay with its legend as a JPEG."""
        save_overlay(path, self.overlay())

    def show(self, *, at: tuple[int, int] | None = None) -> None:
        """Show the picture and its overlay with matplotlib, in a notebook or a window.

        Without a screen, saves ``NAME-overlay.png`` or ``NAME-xX-yY.png`` in the current folder and prints its path.

        Args:
            at: A pixel (x, y): shows what every attention map of the network holds for it, too.

        Raises:
            UsageError: There is no such pixel, or a file of that name that attseg did not write.
        """
        from matplotlib import pyplot

        from attseg.inference.screen import show_figure

        if at is not None:
            self._show_pixel(*at)
            return
        figure, axes = pyplot.subplots(1, 2, figsize=(12, 5), layout="constrained")
        for axis, picture in zip(axes, (Image.fromarray(self.image), self.overlay()), strict=True):
            axis.imshow(picture)
            axis.set_anchor("N")
            axis.axis("off")
        figure.suptitle(self.name, parse_math=False)
        show_figure(figure, f"{Path(self.name).name}-overlay")

    def _show_pixel(self, x: int, y: int) -> None:
        from matplotlib import pyplot

        from attseg.explain.figures.panels import sheet
        from attseg.explain.figures.pixel import draw_pixel, shape_of
        from attseg.explain.looked import check_pixel
        from attseg.inference.screen import show_figure

        height, width = self.labels.shape
        check_pixel(x, y, (height, width))
        rows, columns = shape_of(self)
        size = sheet(rows, columns, self.image, bars=columns, extra=0.4).get_size_inches()
        figure = pyplot.figure(figsize=(size[0], size[1]), layout="constrained")
        draw_pixel(figure, self, x, y)
        figure.suptitle(f"{self.name}, pixel x={x}, y={y}", parse_math=False)
        show_figure(figure, f"{Path(self.name).name}-x{x}-y{y}")

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.overlay().save(buffer, "PNG")
        return buffer.getvalue()
