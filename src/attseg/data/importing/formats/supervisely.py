"""Supervisely: meta.json, and in each data set of a project a JSON file a picture."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from attseg.data.importing.export import Annotation, Entry, Export, NamedClass
from attseg.data.importing.formats.cvat import read_color
from attseg.data.importing.json_text import decode_base64, files_below, get, read_json, size_of
from attseg.data.importing.naming import split_name
from attseg.data.importing.search import Search
from attseg.data.importing.shapes import Bitmap, OpenCvPolygon, Region, Shape, read_points
from attseg.data.reading.opening import open_picture
from attseg.data.sample import DataError

META = "meta.json"
MOST_PACKED = 2**26
"""Bytes of the PNG of a bitmap."""


class Supervisely(Export):
    """A project in Supervisely's own format."""

    title = "Supervisely"

    def __init__(self, source: Path, search: Search) -> None:
        super().__init__(source, search)
        meta = read_json(meta_file(source) or source / META)
        for one in get(meta, "classes", list, META):
            self.classes.append(NamedClass(get(one, "title", str, "a class"), read_color(one.get("color"))))
        self._files = sorted(file for file in files_below(source, ".json") if file.parent.name == "ann")

    def entries(self) -> Iterator[Entry]:
        """One a JSON file."""
        several = len({file.parent for file in self._files}) > 1
        for file in self._files:
            dataset = file.parent.parent
            below = dataset.relative_to(self.source).as_posix()
            split = split_name(dataset.name)
            name = file.name.removesuffix(".json")
            yield Entry(f"{below}/{name}" if several and not split else name, file, split, file)

    def read(self, entry: Entry) -> Annotation:
        """As of ``Export``."""
        file: Path = entry.key
        content = read_json(file)
        dataset = file.parent.parent
        size = size_of(get(content, "size", dict, str(file)))
        found = Annotation(self.search.find(file.name.removesuffix(".json"), near=dataset / "img"), size)
        for one in get(content, "objects", list, str(file)):
            label, kind = get(one, "classTitle", str, "an object"), one.get("geometryType")
            if kind in ("line", "polyline", "point", "graph", "cuboid", "any"):
                found.left_out.append(f"{kind} (it has no area)")
                continue
            shape = _shape(one, kind, label)
            if shape is None:
                found.left_out.append("polygon of fewer than 3 points")
            else:
                found.regions.append(Region(label, shape, box=kind == "rectangle"))
        return found

    def unlisted(self) -> list[Path]:
        """Pictures without a JSON file."""
        files = {file.name.removesuffix(".json") for file in self._files}
        others = self.search.files.keys() - self.search.found
        return sorted(path for path in others if path.parent.name == "img" and path.name not in files)


def meta_file(source: Path) -> Path | None:
    """The table of classes of a project, if the folder is one."""
    meta = source / META
    return meta if meta.is_file() and any(source.glob("*/ann")) else None


def _shape(one: Any, kind: Any, label: str) -> Shape | None:
    if kind == "bitmap":
        bitmap = get(one, "bitmap", dict, f"the bitmap of {label!r}")
        origin = read_points([get(bitmap, "origin", list, f"the bitmap of {label!r}")], what="an origin")
        left, top = (int(value) for value in origin[0])
        mask = np.array(open_picture(_unpack(bitmap.get("data"), label)).image)
        if mask.ndim == 3 and mask.shape[2] == 4:
            mask = mask[..., 3]
        if mask.ndim != 2:
            raise DataError(
                f"the bitmap of {label!r} has {mask.shape[2]} bands; one, or red, green, blue and opacity expected"
            )
        return Bitmap(mask > 0, top, left)
    if kind not in ("polygon", "rectangle"):
        raise DataError(f"the object {label!r} is a {kind!r}, which is not known here")
    points = get(one, "points", dict, f"the {kind} {label!r}")
    outside = read_points(get(points, "exterior", list, f"the {kind} {label!r}"))
    if kind == "rectangle":
        if len(outside) != 2:
            raise DataError(f"the rectangle {label!r} has {len(outside)} points, and 2 were expected")
        (left, top), (right, bottom) = outside.min(axis=0), outside.max(axis=0)
        return OpenCvPolygon(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]))
    holes = [read_points(hole) for hole in points.get("interior") or []]
    return OpenCvPolygon(outside.round(), [hole.round() for hole in holes]) if len(outside) >= 3 else None


def _unpack(text: Any, label: str) -> bytes:
    """The PNG of a bitmap: base64 of zlib."""
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(decode_base64(text, "a bitmap"), MOST_PACKED)
    except (DataError, zlib.error):
        raise DataError(f"the bitmap of {label!r} is no packed PNG in base64") from None
    if unpacker.unconsumed_tail:
        raise DataError(f"the bitmap of {label!r} unpacks to more than {MOST_PACKED} bytes")
    return content
