"""Regions that a tool draws, and the pixels of each: those that the tool itself gives it.

Every rule is the one by which the tool makes masks of its own shapes, so that labels are the same to the pixel:

- COCO, CVAT, Label Studio and Datumaro: polygons as pycocotools rasterises them, of several parts their union.
- labelme: polygons, circles and rectangles as Pillow draws them, border included.
- Supervisely: polygons as OpenCV fills them, border included; their holes likewise.
- Ellipses of CVAT and Label Studio: the pixels whose centre lies inside.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from attseg.data.importing.runs import columns_of, decode_counts
from attseg.data.sample import DataError
from attseg.extras import install_command

Points = npt.NDArray[np.float64]
"""(N, 2) x to the right and y down, in pixels, from the outer corner of the first pixel."""

FARTHEST = 100_000
"""Pixels by which a coordinate may lie outside of a picture."""

LONGEST = 2**22
"""Pixels of the outline of a region; rasterising takes memory for each."""


class Window(NamedTuple):
    """The pixels of a region.

    Args:
        top: First row of the mask in the picture.
        left: First column.
        mask: (h, w) Where the region is.
    """

    top: int
    left: int
    mask: npt.NDArray[np.bool_]


class Shape(ABC):
    """A shape that has an area."""

    @abstractmethod
    def window(self, height: int, width: int) -> Window | None:
        """The pixels in a picture of a size; None where it has none.

        Raises:
            DataError: The shape is not valid.
        """


@dataclass(frozen=True, eq=False)
class Region:
    """A shape with a class.

    Args:
        label: Name of the class.
        shape: Which pixels.
        box: Whether it is a rectangle that may be meant as a box around an object.
        crowd: Whether it is marked as a crowd of objects (COCO).
    """

    label: str
    shape: Shape
    box: bool = False
    crowd: bool = False


@dataclass(frozen=True, eq=False)
class CocoPolygons(Shape):
    """The union of polygons, as pycocotools rasterises them.

    Args:
        parts: (N, 2) The corners of each.
    """

    parts: Sequence[Points]

    def window(self, height: int, width: int) -> Window | None:
        """As of ``Shape``."""
        mask = pycocotools_mask()
        runs = mask.merge(mask.frPyObjects([part.ravel().tolist() for part in self.parts], height, width))
        return Runs(decode_counts(runs["counts"]), (height, width)).window(height, width)


@dataclass(frozen=True, eq=False)
class PillowShape(Shape):
    """A shape that Pillow draws, with its border, as labelme does.

    Args:
        kind: ``polygon``, ``rectangle`` or ``ellipse``; the latter two are given by two corners.
        points: (N, 2)
    """

    kind: str
    points: Points

    def window(self, height: int, width: int) -> Window | None:
        """As of ``Shape``."""
        box = _bounds(self.points, height, width)
        if box is None:
            return None
        top, left, bottom, right = box
        # from the corner of the picture, since Pillow rounds coordinates to 24 bits
        image = Image.new("1", (right, bottom))
        getattr(ImageDraw.Draw(image), self.kind)([(x, y) for x, y in self.points.tolist()], outline=1, fill=1)
        return Window(top, left, np.array(image.crop((left, top, right, bottom))))


@dataclass(frozen=True, eq=False)
class OpenCvPolygon(Shape):
    """A polygon with holes as OpenCV fills it, as Supervisely does: corners are centres of pixels, borders are included.

    Args:
        outside: (N, 2) Its corners; whole numbers.
        holes: (N, 2) Those of each hole.
    """

    outside: Points
    holes: Sequence[Points] = ()

    def window(self, height: int, width: int) -> Window | None:
        """As of ``Shape``."""
        # OpenCV draws what it cuts off differently
        box = _bounds(np.concatenate([self.outside, *self.holes]), height, width)
        if box is None:
            return None
        try:
            import cv2
        except ImportError:
            raise _missing("OpenCV") from None
        top, left, bottom, right = box
        canvas = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillPoly(canvas, [(self.outside - (left, top)).astype(np.int32)], (1,))
        for hole in self.holes:
            cv2.fillPoly(canvas, [(hole - (left, top)).astype(np.int32)], (0,))
        return Window(top, left, canvas.astype(bool))


@dataclass(frozen=True, eq=False)
class Ellipse(Shape):
    """The pixels whose centre lies inside of an ellipse.

    Args:
        center: x and y.
        radii: Along x and y, before it is turned.
        degrees: By which it is turned clockwise, as seen.
    """

    center: tuple[float, float]
    radii: tuple[float, float]
    degrees: float = 0

    def window(self, height: int, width: int) -> Window | None:
        """As of ``Shape``."""
        (x, y), reach = self.center, max(self.radii)
        box = _bounds(np.array([[x - reach, y - reach], [x + reach, y + reach]]), height, width)
        if box is None or min(self.radii) <= 0:
            return None
        top, left, bottom, right = box
        across = np.arange(left, right) + 0.5 - x
        down = (np.arange(top, bottom) + 0.5 - y)[:, None]
        cosine, sine = np.cos(np.deg2rad(self.degrees)), np.sin(np.deg2rad(self.degrees))
        along = (across * cosine + down * sine) / self.radii[0]
        beside = (down * cosine - across * sine) / self.radii[1]
        return Window(top, left, along**2 + beside**2 <= 1)


@dataclass(frozen=True, eq=False)
class Bitmap(Shape):
    """A mask at a place in the picture; what lies outside of the picture is cut off.

    Args:
        mask: (h, w)
        top: First row.
        left: First column.
    """

    mask: npt.NDArray[np.bool_]
    top: int = 0
    left: int = 0

    def window(self, height: int, width: int) -> Window | None:
        """As of ``Shape``."""
        top, left = max(self.top, 0), max(self.left, 0)
        mask = self.mask[top - self.top : height - self.top, left - self.left : width - self.left]
        return Window(top, left, mask) if mask.size else None


@dataclass(frozen=True, eq=False)
class Runs(Shape):
    """A mask of the size of the picture in runs, as COCO keeps it.

    Args:
        counts: Lengths of runs down the columns, of pixels outside and inside in turn; the first is outside.
        size: Height and width.
    """

    counts: npt.NDArray[np.int64]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        if (total := int(self.counts.sum())) != (pixels := self.size[0] * self.size[1]):
            raise DataError(f"a mask in runs has {total} pixels, and {pixels} were expected")

    def window(self, height: int, width: int) -> Window | None:
        """As of ``Shape``."""
        if self.size != (height, width):
            raise DataError(
                f"a mask in runs is {self.size[0]} x {self.size[1]} (height x width), and its picture {height} x {width}"
            )
        found = columns_of(self.counts, height, width)
        return None if found is None else Window(0, *found)


def read_points(numbers: object, *, what: str = "a polygon") -> Points:
    """Coordinates from a file, as pairs or one after the other.

    Returns:
        (N, 2)

    Raises:
        DataError: They are not numbers in pairs, or lie far outside of every picture.
    """
    try:
        points = np.array(numbers, np.float64).reshape(-1, 2)
    except (ValueError, TypeError, OverflowError):
        raise DataError(f"{what} is not a list of pairs of numbers") from None
    if not np.isfinite(points).all() or (np.abs(points) > FARTHEST).any():
        raise DataError(f"{what} has coordinates that are NaN, infinite or beyond {FARTHEST}")
    if len(points) > 1 and np.abs(np.diff(points, axis=0)).max(axis=1).sum() > LONGEST:
        raise DataError(f"{what} has an outline of more than {LONGEST} pixels")
    return points


def pycocotools_mask():  # type: ignore[no-untyped-def] # noqa: ANN201 # a module without types
    """The module ``pycocotools.mask``.

    Raises:
        DataError: It is not installed.
    """
    try:
        from pycocotools import mask
    except ImportError:
        raise _missing("pycocotools") from None
    return mask


class MissingPackage(DataError):
    """A package of the extra ``labels`` is not installed."""


def _missing(name: str) -> MissingPackage:
    return MissingPackage(f"polygons of this tool need {name}: {install_command('labels')}")


def _bounds(points: Points, height: int, width: int) -> tuple[int, int, int, int] | None:
    """Top, left, bottom and right of the part of a picture that a shape can reach, with a margin; None where there is none."""
    low, high = np.floor(points.min(axis=0)) - 1, np.ceil(points.max(axis=0)) + 2
    left, top = int(max(low[0], 0)), int(max(low[1], 0))
    right, bottom = int(min(high[0], width)), int(min(high[1], height))
    return (top, left, bottom, right) if top < bottom and left < right else None
