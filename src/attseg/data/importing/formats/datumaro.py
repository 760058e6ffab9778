"""Datumaro's own format, and whatever else Datumaro reads (``--format datumaro:NAME``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from attseg.data.importing.export import Annotation, Entry, Export, NamedClass
from attseg.data.importing.naming import split_name
from attseg.data.importing.runs import decode_counts
from attseg.data.importing.search import Search
from attseg.data.importing.shapes import (
    Bitmap,
    CocoPolygons,
    Ellipse,
    MissingPackage,
    Region,
    Runs,
    Shape,
    read_points,
)
from attseg.data.sample import DataError
from attseg.errors import UsageError, unknown
from attseg.extras import install_command


class Datumaro(Export):
    """A data set that Datumaro opens.

    Args:
        source: Its folder.
        search: Where its pictures are.
        format: What Datumaro calls the format.
    """

    title = "Datumaro"
    fills_boxes = False

    def __init__(self, source: Path, search: Search, format: str = "datumaro") -> None:
        super().__init__(source, search)
        dataset = _open(source, format)
        self.remarks.append(f"read by Datumaro as {format}")
        categories = {kind.name: found for kind, found in dataset.categories().items()}
        colors = getattr(categories.get("mask"), "colormap", {})
        labels = categories["label"].items if "label" in categories else []
        self.classes = [
            NamedClass(one.name, tuple(int(value) for value in colors[index]) if index in colors else None)  # type: ignore[arg-type] # three values
            for index, one in enumerate(labels)
        ]
        self._items = sorted(dataset, key=lambda item: (item.subset, item.id))

    def entries(self) -> Iterator[Entry]:
        """One an item."""
        for item in self._items:
            yield Entry(item.id, self.source, split_name(item.subset), item)

    def read(self, entry: Entry) -> Annotation:
        """As of ``Export``."""
        item = entry.key
        path = getattr(item.media, "path", None)
        if not path:
            raise DataError(f"the item {item.id!r} has no picture")
        file = Path(path)
        found = Annotation(file if file in self.search.files else self.search.find(str(path)))
        for one in sorted(item.annotations, key=lambda one: getattr(one, "z_order", None) or 0):
            kind = one.type.name
            if kind == "polygon" and len(one.points) < 6:
                found.left_out.append("polygon of fewer than 3 points")
            elif kind in ("polygon", "mask", "bbox", "rotated_bbox", "ellipse"):
                if one.label is None or not 0 <= one.label < len(self.classes):
                    raise DataError(f"a {kind} of the item {item.id!r} has no class")
                crowd = bool(one.attributes.get("is_crowd"))
                label = self.classes[one.label].name
                if kind == "mask":
                    rows, columns = one.image.shape if not hasattr(one, "rle") else one.rle["size"]
                    found.size = int(rows), int(columns)
                found.regions.append(Region(label, _shape(one, kind), "bbox" in kind, crowd))
            elif kind not in ("label", "caption"):
                found.left_out.append(f"{kind} (it has no area)")
        if any(not region.box for region in found.regions):  # of COCO, each outline comes with its box
            found.regions = [region for region in found.regions if not region.box]
        return found


def _open(source: Path, format: str) -> Any:
    try:
        from datumaro import Dataset
        from datumaro.components.environment import Environment
    except ImportError:
        raise MissingPackage(f"the formats of Datumaro need it: {install_command('labels')}") from None
    known = list(Environment().importers)
    if format not in known:
        raise unknown("format of Datumaro", format, known)
    try:
        return Dataset.import_from(str(source), format)
    except Exception as error:  # its readers raise nearly anything
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        raise UsageError(f"Datumaro cannot read {source} as {format}: {cause or type(cause).__name__}") from error


def _shape(one: Any, kind: str) -> Shape:
    if kind == "mask" and isinstance(rle := getattr(one, "rle", None), dict):
        height, width = rle["size"]
        return Runs(decode_counts(rle["counts"]), (height, width))
    if kind == "mask":
        return Bitmap(np.asarray(one.image).astype(bool))
    if kind == "ellipse":
        left, top, right, bottom = read_points(list(one.points), what="an ellipse").ravel().tolist()
        return Ellipse(((left + right) / 2, (top + bottom) / 2), ((right - left) / 2, (bottom - top) / 2))
    points = one.as_polygon() if kind in ("bbox", "rotated_bbox") else one.points
    return CocoPolygons([read_points(list(points))])
