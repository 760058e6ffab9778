"""COCO: outlines as polygons and masks in runs; with the folders of Roboflow's export."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from attseg.data.importing.export import Annotation, Entry, Export, NamedClass, Size
from attseg.data.importing.json_text import files_below, get, read_json, size_of
from attseg.data.importing.naming import split_in, split_name
from attseg.data.importing.runs import decode_counts
from attseg.data.importing.search import Search
from attseg.data.importing.shapes import CocoPolygons, Region, Runs, Shape, read_points
from attseg.data.sample import DataError
from attseg.errors import UsageError

ROBOFLOW = "_annotations.coco.json"

NOT_OUTLINES = ("captions_", "person_keypoints_", "image_info_", "panoptic_")
"""Beginnings of the names of files of the COCO release that hold something else."""


class _Picture(NamedTuple):
    name: str
    size: Size | None
    annotations: list[dict[str, Any]]
    categories: dict[int, str]
    folder: Path | None


class Coco(Export):
    """An export as COCO."""

    title = "COCO"
    fills_boxes = False

    def __init__(self, source: Path, search: Search) -> None:
        super().__init__(source, search)
        found = {
            path: read_json(path) for path in files_below(source, ".json") if not path.name.startswith(NOT_OUTLINES)
        }
        files = {path: content for path, content in found.items() if is_coco(content)}
        _refuse_two_of_a_split(files, source)
        self._pictures: list[Entry] = []
        names: dict[str, int] = {}
        for path, content in files.items():
            roboflow = path.name == ROBOFLOW
            split = split_name(path.parent.name) if roboflow else split_in(path.stem)
            categories = self._categories(path, content, names)
            self._pictures += _entries(path, content, split, categories, path.parent if roboflow else None)
        self.classes = [NamedClass(name) for name in sorted(names, key=lambda name: names[name])]

    def _categories(self, path: Path, content: dict[str, Any], names: dict[str, int]) -> dict[int, str]:
        """Names of categories by their numbers."""
        categories = content["categories"]
        table = {get(one, "id", int, f"a category of {path}"): one for one in categories}
        used = {str(one.get("category_id")) for one in content["annotations"] if isinstance(one, dict)}
        parents = [one.get("supercategory") for number, one in table.items() if str(number) in used]
        for number in sorted(table):
            name = get(table[number], "name", str, f"category {number} of {path}")
            if str(number) not in used and name in parents and path.name == ROBOFLOW:
                said = f"the category {name!r} is the group of the others and occurs nowhere; it is no class"
                self.remarks += [said] if said not in self.remarks else []
            else:
                names[name] = min(number, names.get(name, number))
        return {number: one["name"] for number, one in table.items()}

    def entries(self) -> Iterator[Entry]:
        """The pictures, by their numbers."""
        yield from self._pictures

    def read(self, entry: Entry) -> Annotation:
        """As of ``Export``."""
        picture: _Picture = entry.key
        file = self.search.find(picture.name, near=entry.source.parent, within=picture.folder)
        found = Annotation(file, picture.size)
        for one in picture.annotations:
            number = one.get("category_id")
            if not isinstance(number, int) or number not in picture.categories:
                raise DataError(f"an annotation has the category {number!r}, which is not in the table of categories")
            crowd = one.get("iscrowd") == 1
            for shape in _shapes(one.get("segmentation"), found):
                found.regions.append(Region(picture.categories[number], shape, crowd=crowd))
            if not one.get("segmentation"):
                box = one.get("bbox")
                if isinstance(box, list) and len(box) == 4:
                    x, y, w, h = read_points(box, what="a box").ravel().tolist()
                    corners = read_points([x, y, x + w, y, x + w, y + h, x, y + h], what="a box")
                    found.regions.append(Region(picture.categories[number], CocoPolygons([corners]), box=True))
                else:
                    found.left_out.append("annotation without outline")
        return found


def is_coco(content: Any) -> bool:
    """Whether a JSON file is COCO with objects."""
    return isinstance(content, dict) and all(
        isinstance(content.get(key), list) for key in ("images", "annotations", "categories")
    )


def _shapes(segmentation: Any, found: Annotation) -> Iterator[Shape]:
    if isinstance(segmentation, dict):
        size = get(segmentation, "size", list, "a mask in runs")
        if len(size) != 2 or not all(isinstance(side, int) for side in size):
            raise DataError("a mask in runs has no valid size")
        yield Runs(decode_counts(segmentation.get("counts")), (size[0], size[1]))
    elif isinstance(segmentation, list) and segmentation:
        parts = [read_points(part) for part in segmentation]
        found.left_out += ["polygon of fewer than 3 points"] * sum(len(part) < 3 for part in parts)
        if parts := [part for part in parts if len(part) >= 3]:
            yield CocoPolygons(parts)
    elif segmentation not in (None, [], ""):
        raise DataError(f"a segmentation is {type(segmentation).__name__}; polygons or a mask in runs were expected")


def _entries(
    path: Path, content: dict[str, Any], split: str, categories: dict[int, str], folder: Path | None
) -> Iterator[Entry]:
    annotations: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    for one in content["annotations"]:
        if isinstance(one, dict) and isinstance(image := one.get("image_id"), int | str):
            annotations[image].append(one)
        else:
            raise DataError(f"{path} has an annotation without a valid 'image_id'")
    images = sorted(content["images"], key=lambda one: str(one.get("file_name")) if isinstance(one, dict) else "")
    known = set()
    for one in images:
        what = f"a picture of {path}"
        name, image = get(one, "file_name", str, what), get(one, "id", (int, str), what)
        known.add(image)
        key = _Picture(name, size_of(one), annotations.get(image, []), categories, folder)
        yield Entry(name, path, split, key)
    if strays := annotations.keys() - known:
        raise DataError(f"{path} has annotations of the picture {min(map(str, strays))!r}, which it does not list")


def _refuse_two_of_a_split(files: dict[Path, Any], source: Path) -> None:
    """Refuse two files that may be two ways to label the same pictures, such as instances and stuff."""
    listed = Counter(
        str(one.get("file_name")) for path, content in files.items() if path.name != ROBOFLOW
        for one in content["images"] if isinstance(one, dict)
    )  # fmt: skip
    if len(files) > 1 and any(count > 1 for count in listed.values()):
        several = [path for path in files if path.name != ROBOFLOW]
        raise UsageError(
            f"{', '.join(str(path.relative_to(source)) for path in several)} label the same pictures. Say which is meant: "
            f"attseg data import {several[0]} --images {source} --out DIR"
        )
