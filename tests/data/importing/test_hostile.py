"""Exports with anything in any place: every failure is a sentence about a file, and nothing is left behind."""

import json
import random

import numpy as np
import pytest

from attseg.data.importing.job import import_data
from attseg.data.sample import DataError
from attseg.errors import UsageError
from labelling import (
    CRACK,
    LEAF,
    brush,
    coco_folder,
    cvat_folder,
    labelme_folder,
    labelme_mask,
    labelme_shape,
    roboflow_folder,
    studio_folder,
    studio_result,
    supervisely_bitmap,
    supervisely_folder,
    voc_folder,
    write_labelme,
)

WEIRD = (
    *(None, True, -1, 0, 1, 1e308, float("inf"), 2**70, -5.5, [], {}, [[]], [None], {"a": 1}, [1, 2, 3]),
    *("", "x", "../../etc/passwd", "\x00", "9" * 400, "\ud800", "a/b", ".."),
)
MASK = np.random.default_rng(0).random((6, 7)) < 0.5


def with_masks(name, folder):
    """An export of three pictures with a mask among its shapes."""
    makes = {
        "labelme": labelme_folder,
        "coco": coco_folder,
        "label-studio": studio_folder,
        "supervisely": supervisely_folder,
    }
    if name == "roboflow":
        return roboflow_folder(folder)
    makes[name](folder, count=3)
    if name == "labelme":
        shapes = [
            labelme_shape("crack", CRACK),
            labelme_mask("leaf", MASK, 3, 3),
            labelme_shape("leaf", LEAF[:2], "circle"),
        ]
        write_labelme(folder / "p0.json", shapes)
        return folder
    file = next(folder.rglob("p0.jpg.json" if name == "supervisely" else "*.json"))
    content = json.loads(file.read_text())
    if name == "coco":
        content["annotations"][0]["segmentation"] = {"size": [40, 60], "counts": [100, 200, 2100]}
    elif name == "label-studio":
        value = {"format": "rle", "rle": brush(np.zeros((40, 60)))}
        content[0]["annotations"][0]["result"].append(studio_result("leaf", "brush", value))
    else:
        content["objects"].append(supervisely_bitmap("leaf", MASK, 3, 3))
    file.write_text(json.dumps(content))
    return folder


def places(node, path=()):
    """The paths of all values in JSON."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(content, draw):
    """JSON with a few values replaced or removed."""
    content = json.loads(json.dumps(content))
    for _ in range(draw.choice((1, 1, 2, 5))):
        *path, last = draw.choice([*places(content)] or [()]) or (None,)
        node = content
        for key in path:
            node = node[key]
        if isinstance(node, dict) and draw.random() < 0.2:
            del node[last]
        elif last is not None:
            node[last] = draw.choice(WEIRD)
    return content


def attempt(folder, tmp_path, **options):
    try:
        report = import_data(folder, tmp_path / "out", **options)
    except (UsageError, DataError):
        assert not (tmp_path / "out").exists()
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    else:
        assert sum(report.splits.values()) == len([*(tmp_path / "out" / "labels").rglob("*.png")])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["labelme", "coco", "roboflow", "label-studio", "supervisely"])
def test_json_with_anything_in_it(tmp_path, name):
    draw = random.Random(name)
    folder = with_masks(name, tmp_path / "e")
    files = sorted(folder.rglob("*.json"))
    for turn in range(40):
        file = draw.choice(files)
        before = file.read_bytes()
        file.write_text(json.dumps(changed(json.loads(before), draw)))
        (tmp_path / str(turn)).mkdir()
        attempt(folder, tmp_path / str(turn), format=name.replace("roboflow", "coco"))
        file.write_bytes(before)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "name"), [(cvat_folder, "cvat"), (voc_folder, "voc")])
def test_files_with_changed_bytes(tmp_path, make, name):
    draw = random.Random(name)
    folder = make(tmp_path / "e")
    files = sorted(path for path in folder.rglob("*.*") if path.is_file())
    for turn in range(60):
        file = draw.choice(files)
        before = file.read_bytes()
        content = bytearray(before)
        for _ in range(draw.choice((1, 3, 20))):
            place = draw.randrange(len(content))
            content[place : place + draw.choice((0, 1, 1, 50))] = draw.choice(
                (b"", b"\xff", b"<", b"0", b'"', b"9" * 30, b"\n", b"-1")
            )
        file.write_bytes(content)
        (tmp_path / str(turn)).mkdir()
        attempt(folder, tmp_path / str(turn), format=name)
        file.write_bytes(before)
