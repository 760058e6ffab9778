"""labelme: a JSON file beside each picture, with polygons, circles, rectangles and masks."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.data.importing.export import Annotation, Entry, Export, NamedClass
from attseg.data.importing.json_text import decode_base64, files_below, get, read_json, size_of
from attseg.data.importing.search import Search
from attseg.data.importing.shapes import Bitmap, PillowShape, Region, Shape, read_points
from attseg.data.reading.content import read_content
from attseg.data.reading.opening import open_picture
from attseg.data.sample import DataError

LABELS_FILE = "labels.txt"
"""File of ``labelme --labels``: a name a line, in the order of the classes."""

LINES = ("line", "linestrip", "point", "points")
"""Shapes without an area."""

POLYGONS = ("polygon", "oriented_rectangle", "rotation", "quadrilateral")
"""Shapes given by their corners; the last two are those of X-AnyLabeling, which writes the same files."""


class Labelme(Export):
    """A folder of labelme's files, or one of them."""

    title = "labelme"

    def __init__(self, source: Path, search: Search) -> None:
        super().__init__(source, search)
        self._files = sorted(files_below(source, ".json"))
        home = source if source.is_dir() else source.parent
        for table in (home / LABELS_FILE, home.parent / LABELS_FILE):
            if table.is_file():
                text = read_content(table, most=2**20, what="a list of classes").decode("utf-8-sig", "replace")
                self.classes = [NamedClass(line.strip()) for line in text.splitlines() if line.strip()]
                self.remarks.append(f"the order of the classes is that of {table}")
                break

    def entries(self) -> Iterator[Entry]:
        """One a JSON file."""
        home = self.source if self.source.is_dir() else self.source.parent
        for file in self._files:
            yield Entry(file.relative_to(home).with_suffix("").as_posix(), file, key=file)

    def read(self, entry: Entry) -> Annotation:
        """As of ``Export``."""
        content = read_json(entry.key)
        shapes = get(content, "shapes", list, str(entry.key))
        found = Annotation(self._image(entry.key, content), size_of(content, "imageHeight", "imageWidth"))
        for shape in shapes:
            label = get(shape, "label", str, "a shape").strip()
            kind = shape.get("shape_type") or "polygon"
            if kind in LINES:
                found.left_out.append(f"{kind} (it has no area)")
                continue
            points = read_points(get(shape, "points", list, f"the shape {label!r}"), what=f"the shape {label!r}")
            if kind in POLYGONS and len(points) < 3:
                found.left_out.append("polygon of fewer than 3 points")
                continue
            found.regions.append(Region(label, _shape(kind, label, points, shape), box=kind == "rectangle"))
        return found

    def _image(self, file: Path, content: Any) -> Path | bytes:
        """The picture of a file; the one that the file embeds where it lies nowhere."""
        name = content.get("imagePath")
        try:
            if isinstance(name, str) and name:
                return self.search.find(name, near=file.parent)
            return self.search.find_stem(file.stem, near=file.parent)
        except DataError:
            if not content.get("imageData"):
                raise
        return decode_base64(content["imageData"], "the embedded picture")

    def unlisted(self) -> list[Path]:
        """Pictures without a JSON file: nobody has labelled them yet."""
        others = self.search.files.keys() - self.search.found
        files = {file.with_suffix("") for file in self._files}  # one that is broken may name the picture beside it
        # a picture beside them that differs in the suffix alone
        twins = {path.with_suffix("") for path in self.search.found}
        return sorted(path for path in others if (stem := path.with_suffix("")) not in files or stem in twins)


def is_labelme(content: Any) -> bool:
    """Whether a JSON file is labelme's."""
    return isinstance(content, dict) and isinstance(content.get("shapes"), list) and "imagePath" in content


def _shape(kind: str, label: str, points: npt.NDArray[np.float64], shape: Any) -> Shape:
    if kind in POLYGONS:
        return PillowShape("polygon", points)
    corners = (2, 4) if kind == "rectangle" else (2,)  # X-AnyLabeling writes all four
    if kind in ("rectangle", "circle", "mask") and len(points) not in corners:
        wanted = " or ".join(map(str, corners))
        raise DataError(f"the {kind} {label!r} has {len(points)} points, and {wanted} were expected")
    if kind == "rectangle":
        return PillowShape("rectangle", np.array([points.min(axis=0), points.max(axis=0)]))
    if kind == "circle":
        radius = hypot(*(points[1] - points[0]))
        return PillowShape("ellipse", np.array([points[0] - radius, points[0] + radius]))
    if kind == "mask":
        mask = np.array(open_picture(decode_base64(shape.get("mask"), f"the mask of {label!r}")).image)
        left, top = (int(value) for value in points[0])
        right, bottom = (int(value) for value in points[1])
        if mask.ndim != 2 or mask.shape != (bottom - top + 1, right - left + 1):
            raise DataError(
                f"the mask of {label!r} has the shape {mask.shape}, and its corners say {bottom - top + 1} rows and "
                f"{right - left + 1} columns"
            )
        return Bitmap(mask.astype(bool), top, left)
    raise DataError(f"the shape {label!r} is a {kind!r}, which is not known here")
