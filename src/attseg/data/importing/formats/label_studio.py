"""Label Studio: JSON with polygons, brush layers, bitmasks, ellipses and rectangles, in percent of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.data.importing.export import Annotation, Entry, Export
from attseg.data.importing.formats.cvat import turn
from attseg.data.importing.json_text import decode_base64, files_below, get, number, read_json, size_of
from attseg.data.importing.runs import decode_brush
from attseg.data.importing.search import UPLOADED, Search, name_parts
from attseg.data.importing.shapes import Bitmap, CocoPolygons, Ellipse, Region, Shape, read_points
from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.opening import open_picture
from attseg.data.sample import DataError

PLACES = frozenset(("points", "rle", "imageDataURL", "radiusX", "width", "vertices", "sequence"))
"""Keys of which the value of a region has one."""

TOOLS = ("polygon", "brush", "bitmask", "ellipse", "rectangle", "keypoint", "vector", "video")
"""Beginnings of the types of regions. Labels, choices and texts of a region may be results that repeat its place."""


class LabelStudio(Export):
    """An export as JSON."""

    title = "Label Studio"

    def __init__(self, source: Path, search: Search) -> None:
        super().__init__(source, search)
        self._tasks = [
            (path, task)
            for path in files_below(source, ".json")
            if is_label_studio(content := read_json(path))
            for task in content
        ]
        several = sum(len(_annotations(task)) > 1 for _, task in self._tasks)
        if several:
            self.remarks.append(
                f"{several} of the tasks were labelled more than once: the annotation that is marked as ground truth is taken, "
                "or else the one that was changed last"
            )
        if several := sum(len(_pictures_of(task)) > 1 for _, task in self._tasks):
            keys = next(list(found) for _, task in self._tasks if len(found := _pictures_of(task)) > 1)
            self.remarks.append(
                f"{several} of the tasks name several pictures ({', '.join(keys)}): the first counts as the one that was labelled"
            )

    def entries(self) -> Iterator[Entry]:
        """One a task."""
        for path, task in self._tasks:
            parts = name_parts(_image_of(task))
            if "upload" in parts[:-1]:  # /data/upload/PROJECT/0123abcd-NAME
                parts = [UPLOADED.sub("", parts[-1])]
            yield Entry("/".join(parts) or "?", path, key=task, labelled=bool(_annotations(task)))

    def read(self, entry: Entry) -> Annotation:
        """As of ``Export``."""
        name = _image_of(entry.key)
        if not name:
            raise DataError(f"task {entry.key.get('id')!r} names no picture")
        found = Annotation(self.search.find(name, near=entry.source.parent))
        annotations = _annotations(entry.key)
        if not annotations:
            return found
        chosen = max(annotations, key=lambda one: (bool(one.get("ground_truth")), str(one.get("updated_at") or "")))
        results = [
            one for one in chosen.get("result") or [] if isinstance(one, dict) and isinstance(one.get("value"), dict)
        ]
        labels = {one.get("id"): names for one in results if (names := _labels(one["value"]))}
        regions = [one for one in results if PLACES & one["value"].keys()]
        drawn = {one.get("id") for one in regions if str(one.get("type")).startswith(TOOLS)}
        regions = [one for one in regions if str(one.get("type")).startswith(TOOLS) or one.get("id") not in drawn]
        if len(places := {str(one["to_name"]) for one in regions if one.get("to_name")}) > 1:
            raise DataError(
                f"task {entry.key.get('id')!r} has regions on {len(places)} pictures ({', '.join(sorted(places))}); make a "
                "task of each picture"
            )
        for one in regions:
            kind = str(one.get("type", ""))
            if kind.startswith(("keypoint", "vector", "video")):
                found.left_out.append(f"{kind.removesuffix('labels')} (it has no area)")
                continue
            names = _labels(one["value"]) or labels.get(one.get("id"), [])
            if len(names) != 1:
                raise DataError(f"a {kind} has {len(names)} labels, and one was expected")
            size = size_of(one, "original_height", "original_width")
            if size is None or number(one.get("image_rotation") or 0) != 0:
                raise DataError(
                    f"a {kind} states no size of its picture, or a picture that was turned while it was labelled"
                )
            if found.size not in (None, size):
                raise DataError("regions state different sizes of their picture")
            found.size = size
            if (shape := _shape(one["value"], kind, size)) is None:
                found.left_out.append("polygon of fewer than 3 points")
            else:
                found.regions.append(Region(names[0], shape, box="height" in one["value"]))
        return found


def is_label_studio(content: Any) -> bool:
    """Whether a JSON file is a list of tasks."""
    return isinstance(content, list) and bool(content) and all(
        isinstance(task, dict) and isinstance(task.get("data"), dict) for task in content
    )  # fmt: skip


def _image_of(task: dict[str, Any]) -> str:
    """The address of the picture: the first value in ``data`` that ends as a picture does."""
    return next(iter(_pictures_of(task).values()), str(task["data"].get("image") or ""))


def _pictures_of(task: dict[str, Any]) -> dict[str, str]:
    """The values in ``data`` that end as a picture does."""
    return {
        key: value
        for key, value in task["data"].items()
        if isinstance(value, str) and Path((name_parts(value) or [""])[-1]).suffix.lower() in SUFFIXES
    }


def _annotations(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Finished annotations of a task."""
    found = task.get("annotations", task.get("completions")) or []
    return [one for one in found if isinstance(one, dict) and not one.get("was_cancelled")]


def _labels(value: dict[str, Any]) -> list[str]:
    return [
        str(name)
        for key, names in value.items()
        if key.endswith("labels") and isinstance(names, list)
        for name in names
    ]


def _shape(value: dict[str, Any], kind: str, size: tuple[int, int]) -> Shape | None:
    height, width = size
    if "rle" in value:
        return Bitmap(decode_brush(value["rle"], height, width))
    if "imageDataURL" in value:
        return Bitmap(_decode_bitmask(value["imageDataURL"], kind, size))
    scale = np.array([width, height]) / 100
    if "points" in value:
        points = read_points(get(value, "points", list, f"a {kind}"), what=f"a {kind}") * scale
        return CocoPolygons([points]) if len(points) >= 3 else None
    turned = number(value.get("rotation") or 0) or 0.0
    keys = ("x", "y", "radiusX", "radiusY") if "radiusX" in value else ("x", "y", "width", "height")
    numbers = [number(value.get(key)) for key in keys]
    if any(one is None for one in numbers):
        raise DataError(f"a {kind} lacks {', '.join(keys)}")
    (x, y), (across, down) = (read_points(numbers, what=f"a {kind}") * scale).tolist()
    if "radiusX" in value:
        return Ellipse((x, y), (across, down), turned)
    corners = [(x, y), (x + across, y), (x + across, y + down), (x, y + down)]
    points = turn(corners, turned)
    return CocoPolygons([points - points[0] + (x, y)])  # rectangles are turned about their first corner


def _decode_bitmask(address: Any, kind: str, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """(H, W) The pixels that are not wholly transparent in the PNG of a bitmask."""
    content = decode_base64(str(address).partition(";base64,")[2], f"the PNG of a {kind}")
    layer = np.array(open_picture(content).image.convert("RGBA"))[..., 3]
    if layer.shape != size:
        raise DataError(
            f"a {kind} has {layer.shape[1]} x {layer.shape[0]} pixels, and its picture {size[1]} x {size[0]}"
        )
    return layer > 0
