"""CVAT for images 1.1: an XML file with polygons, masks, ellipses and boxes. Its segmentation masks are read by ``voc``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from attseg.data.classes import Color
from attseg.data.importing.export import Annotation, Entry, Export, NamedClass, Size
from attseg.data.importing.json_text import files_below, number, size_of
from attseg.data.importing.naming import split_name
from attseg.data.importing.runs import decode_counts, rows_of
from attseg.data.importing.search import Search
from attseg.data.importing.shapes import Bitmap, CocoPolygons, Ellipse, Points, Region, Shape, read_points
from attseg.data.sample import DataError
from attseg.errors import UsageError
from attseg.files import open_file

AREAS = ("polygon", "mask", "box", "ellipse")
OTHERS = ("polyline", "points", "cuboid", "skeleton")
HEAD = 2**16
"""Bytes in which the root of a file has to begin."""


class _Drawn(NamedTuple):
    kind: str
    label: str
    values: dict[str, str]
    order: float


class _Picture(NamedTuple):
    name: str
    size: Size | None
    shapes: list[_Drawn]
    left_out: list[str]


class Cvat(Export):
    """An export as CVAT for images 1.1."""

    title = "CVAT for images"

    def __init__(self, source: Path, search: Search) -> None:
        super().__init__(source, search)
        self._entries: list[Entry] = []
        for path in files_below(source, ".xml"):
            if is_cvat(path):
                self._read_file(path)

    def _read_file(self, path: Path) -> None:
        known = {one.name for one in self.classes}
        for element in _elements(path):
            if element.tag == "label":
                name, color = element.findtext("name"), element.findtext("color")
                skeleton = element.findtext("parent")
                if name and not skeleton and name not in known:
                    known.add(name)
                    self.classes.append(NamedClass(name, read_color(color)))
            elif element.tag == "track":
                raise UsageError(
                    f"{path} is an export of a video (CVAT for video); export the task as 'CVAT for images 1.1', with images"
                )
            elif element.tag == "image":
                name = element.get("name")
                if not name:
                    raise DataError(f"{path} has a picture without a name")
                shapes = [
                    _Drawn(child.tag, child.get("label", ""), dict(child.attrib), number(child.get("z_order", 0)) or 0)
                    for child in element
                    if child.tag in AREAS
                ]
                others = [f"{child.tag} (it has no area)" for child in element if child.tag in OTHERS]
                key = _Picture(name, size_of(element.attrib), sorted(shapes, key=lambda one: one.order), others)
                self._entries.append(Entry(name, path, split_name(element.get("subset", "")), key))

    def entries(self) -> Iterator[Entry]:
        """The pictures, as they are listed."""
        yield from self._entries

    def read(self, entry: Entry) -> Annotation:
        """As of ``Export``."""
        picture: _Picture = entry.key
        found = Annotation(self.search.find(picture.name, near=entry.source.parent), picture.size)
        found.left_out += picture.left_out
        for one in picture.shapes:
            if one.kind == "polygon" and len(points := _points(one)) < 3:
                found.left_out.append("polygon of fewer than 3 points")
            else:
                shape = CocoPolygons([points]) if one.kind == "polygon" else _shape(one)
                found.regions.append(Region(one.label, shape, box=one.kind == "box"))
        return found


def is_cvat(path: Path) -> bool:
    """Whether an XML file is CVAT's."""
    with open_file(path) as file:
        head: bytes = file.read(HEAD)
    return b"<annotations" in head and (b"<meta" in head or b"<image" in head)


def _elements(path: Path) -> Iterator[ElementTree.Element]:
    """Labels, pictures and tracks of a file, each cleared after it was used."""
    depth = 0
    try:
        with open_file(path) as file:
            if b"<!DOCTYPE" in file.read(HEAD).upper():
                raise DataError(f"{path} has a document type, which CVAT does not write; it is not read")
            file.seek(0)
            for event, element in ElementTree.iterparse(file, events=("start", "end")):
                depth += 1 if event == "start" else -1
                if event == "end" and element.tag in ("label", "image", "track"):
                    yield element
                if event == "end" and (element.tag in ("image", "track") or depth == 1):
                    element.clear()
    except ElementTree.ParseError as error:
        raise DataError(f"{path} is no XML: {error}") from None


def read_color(text: str | None) -> Color | None:
    """A colour as ``#rrggbb``; None for anything else.

    Example:
        >>> read_color("#ff8000")
        (255, 128, 0)
    """
    try:
        red, green, blue = bytes.fromhex(str(text).removeprefix("#"))
    except ValueError:
        return None
    return red, green, blue


def _points(one: _Drawn) -> Points:
    pairs = [pair.split(",") for pair in one.values.get("points", "").split(";")]
    return read_points([value for pair in pairs for value in pair], what=f"a polygon of {one.label!r}")


def _numbers(one: _Drawn, *keys: str) -> list[float]:
    found = [number(one.values.get(key)) for key in keys]
    if any(value is None for value in found):
        raise DataError(f"a {one.kind} of {one.label!r} lacks {', '.join(keys)}")
    return (
        read_points([*found, *[0] * (len(found) % 2)], what=f"a {one.kind} of {one.label!r}")
        .ravel()[: len(found)]
        .tolist()
    )


def _shape(one: _Drawn) -> Shape:
    turned = number(one.values.get("rotation", 0)) or 0.0
    if one.kind == "ellipse":
        x, y, across, down = _numbers(one, "cx", "cy", "rx", "ry")
        return Ellipse((x, y), (across, down), turned)
    if one.kind == "box":
        left, top, right, bottom = _numbers(one, "xtl", "ytl", "xbr", "ybr")
        return CocoPolygons([turn([(left, top), (right, top), (right, bottom), (left, bottom)], turned)])
    left, top, width, height = (int(value) for value in _numbers(one, "left", "top", "width", "height"))
    runs: list[Any] = [number(part) for part in one.values.get("rle", "").split(",")]
    if any(part is None for part in runs):
        raise DataError(f"a mask of {one.label!r} holds something else than numbers")
    return Bitmap(rows_of(decode_counts(runs), height, width), top, left)


def turn(corners: list[tuple[float, float]], degrees: float) -> Points:
    """Corners turned clockwise about their middle."""
    points = np.array(corners, np.float64)
    if degrees:
        middle = (points[0] + points[2]) / 2
        cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        points = (points - middle) @ np.array([[cosine, sine], [-sine, cosine]]) + middle
    return points
