"""Predictions as files of labelling tools: labelme, COCO and GeoJSON, from which the same label map can be drawn again."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from PIL import Image

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sample import Array
from attseg.inference.polygons import Points, Polygon, keyhole, polygons

UNSURE = "__ignore__"
"""Name of pixels without a class in labelme."""


def to_labelme(labels: Array, classes: ClassTable, picture: str, image: Array | None = None) -> dict[str, Any]:
    """The content of labelme's JSON file of a picture: all regions, those within others behind them.

    labelme draws polygons one after another, each with its border line, so that the label map comes back exactly. Pixels that are
    not sure are called ``__ignore__``.

    Args:
        labels: (H, W) classes, and 255 where not sure.
        classes: Their names.
        picture: Path of the picture, relative to the JSON file.
        image: (H, W, 3) the picture, to be kept within the file.
    """
    shapes = [
        {
            "label": UNSURE if one.label == IGNORE else classes.names[one.label],
            "points": one.border.astype(float).tolist(),
            "group_id": None,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
        }
        for one in polygons(labels)
    ]
    height, width = labels.shape
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": picture,
        "imageData": None if image is None else _png(image),
        "imageHeight": height,
        "imageWidth": width,
    }


def to_geojson(labels: Array, classes: ClassTable) -> dict[str, Any]:
    """A GeoJSON feature for each region, with its holes, in pixels: x to the right and y down from the outer corner of the first.

    Filled where the centre of a pixel lies inside, as GDAL and QuPath do, they give the label map again; pixels that are not
    sure lie in none.
    """
    features = [
        {
            "type": "Feature",
            "properties": {
                "objectType": "annotation",
                "classification": {"name": classes.names[one.label], "color": list(classes.colors[one.label])},
                "pixels": one.area,
            },
            "geometry": {"type": "Polygon", "coordinates": [_ring(one.outer), *map(_ring, one.holes)]},
        }
        for one in polygons(labels)
        if one.label != IGNORE
    ]
    return {"type": "FeatureCollection", "features": features}


def to_coco(pictures: Iterable[tuple[str, Array]], classes: ClassTable) -> Iterator[str]:
    """A COCO file of pictures, in parts, with an annotation for each region; pixels that are not sure lie in none.

    A hole hangs on the outline by a line that is walked there and back. pycocotools draws each region again exactly.

    Args:
        pictures: Name of the file and classes (H, W) of each.
        classes: Names of the classes; the class of index 0 is category 1.
    """
    sizes, count = [], 0
    yield '{"annotations": ['
    for number, (name, labels) in enumerate(pictures, 1):
        sizes.append({"id": number, "file_name": name, "height": labels.shape[0], "width": labels.shape[1]})
        for one in polygons(labels):
            if one.label != IGNORE:
                count += 1
                yield ", " * (count > 1) + json.dumps({"id": count, "image_id": number, **_annotation(one)})
    categories = [{"id": index, "name": name, "supercategory": ""} for index, name in enumerate(classes.names, 1)]
    yield f'], "images": {json.dumps(sizes)}, "categories": {json.dumps(categories)}}}\n'


def _annotation(polygon: Polygon) -> dict[str, Any]:
    low, high = polygon.outer.min(axis=0).tolist(), polygon.outer.max(axis=0).tolist()
    return {
        "category_id": polygon.label + 1,
        "segmentation": [keyhole(polygon).ravel().tolist()],
        "bbox": [*low, high[0] - low[0], high[1] - low[1]],
        "area": polygon.area,
        "iscrowd": 0,
    }


def _ring(points: Points) -> list[list[int]]:
    ring: list[list[int]] = [*points.tolist(), points[0].tolist()]
    return ring


def _png(image: Array) -> str:
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return b64encode(buffer.getvalue()).decode()
