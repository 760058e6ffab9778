"""Supervisely: polygons as its own library draws them (OpenCV), bitmaps at their origin."""

import json
import zlib
from base64 import b64encode

import cv2
import numpy as np
import pytest
from PIL import Image

from attseg.data.importing.job import import_data
from labelling import (
    CRACK,
    HEIGHT,
    LEAF,
    WIDTH,
    png,
    read_labels,
    supervisely_bitmap,
    supervisely_folder,
    supervisely_object,
    supervisely_polygon,
    whole,
    write_json,
)


def filled(points, *holes):
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(canvas, [np.array(points, np.int32)], 1)
    for hole in holes:
        cv2.fillPoly(canvas, [np.array(hole, np.int32)], 0)
    return canvas.astype(bool)


def imported(tmp_path, objects, **options):
    """The labels of the first picture of a project."""
    folder = supervisely_folder(tmp_path / "e")
    write_json(folder / "ds0" / "ann" / "p0.jpg.json", {"size": {"height": HEIGHT, "width": WIDTH}, "objects": objects})
    report = import_data(folder, tmp_path / "out", **options)
    found = [*(tmp_path / "out" / "labels").rglob("p0.png")]
    return read_labels(found[0]) if found else None, report


def test_polygons_with_holes(tmp_path):
    hole = [[25, 18], [35, 17], [30, 26]]
    labels, report = imported(
        tmp_path, [supervisely_polygon("crack", whole(CRACK)), supervisely_polygon("leaf", whole(LEAF), [hole])]
    )
    assert (labels == np.where(filled(whole(LEAF), hole), 2, filled(whole(CRACK)))).all()
    assert (report.format, report.classes) == ("supervisely", ["background", "crack", "leaf"])
    assert "1,crack,255,0,0,0" in (tmp_path / "out" / "classes.csv").read_text()


@pytest.mark.parametrize("kind", ["bits", "gray", "colors"])
def test_bitmaps(tmp_path, kind):
    mask = np.random.default_rng(0).random((8, 5)) < 0.5
    found = supervisely_bitmap("leaf", mask, 50, 3)
    if kind != "bits":
        values = (
            255 * mask.astype(np.uint8)
            if kind == "gray"
            else np.dstack([mask * 0, mask * 0, mask * 0, mask * 255]).astype(np.uint8)
        )
        found["bitmap"]["data"] = b64encode(zlib.compress(png(values))).decode()
    labels, _ = imported(tmp_path, [found])
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[3:11, 50:55] = 2 * mask
    assert (labels == expected).all()


def test_rectangles_and_lines(tmp_path):
    box = supervisely_object("crack", "rectangle", points={"exterior": [[30, 20], [10, 5]], "interior": []})
    line = supervisely_object("leaf", "line", points={"exterior": [[30, 20], [10, 5]], "interior": []})
    labels, report = imported(tmp_path, [box, line])
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[5:21, 10:31] = 1
    assert (labels == expected).all()
    assert report.left_out == {"line (it has no area)": 1}


def test_data_sets_are_splits_where_they_are_called_so_and_folders_elsewhere(tmp_path):
    splits = import_data(supervisely_folder(tmp_path / "a", ("train", "val"), 3), tmp_path / "out-a").splits
    assert splits == {"train": 3, "val": 3}
    import_data(supervisely_folder(tmp_path / "b", ("ds0", "ds1"), 2), tmp_path / "out-b", group="folder", split=0.5)
    places = {
        path.parent.relative_to(tmp_path / "out-b" / "images").as_posix()
        for path in (tmp_path / "out-b").rglob("*.jpg")
    }
    assert places in ({"train/ds0", "val/ds1"}, {"train/ds1", "val/ds0"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bitmap": {"data": "??", "origin": [0, 0]}}, "no packed PNG"),
        ({"bitmap": {"data": b64encode(zlib.compress(b"text")).decode(), "origin": [0, 0]}}, "cannot be read"),
        (
            {"bitmap": {"data": b64encode(zlib.compress(bytes(2**26 + 1))).decode(), "origin": [0, 0]}},
            "unpacks to more",
        ),
        ({"bitmap": {"data": "", "origin": [0]}}, "not a list of pairs"),
        ({"bitmap": None}, "no valid 'bitmap'"),
        ({"geometryType": "cloud"}, "not known here"),
        ({"classTitle": None}, "no valid 'classTitle'"),
    ],
)
def test_a_broken_object_skips_its_picture(tmp_path, change, said):
    labels, report = imported(tmp_path, [supervisely_bitmap("leaf", np.ones((2, 2), bool), 0, 0) | change])
    assert labels is None
    assert said in report.broken["p0"]


def test_a_picture_turned_by_exif_keeps_its_labels_in_place(tmp_path):
    """Shapes that were drawn as stored are turned with the picture, where their size says so."""
    folder = supervisely_folder(tmp_path / "e")
    path = folder / "ds0" / "img" / "p0.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(path).save(path, exif=exif)
    report = import_data(folder, tmp_path / "out")
    labels = read_labels(next((tmp_path / "out" / "labels").rglob("p0.png")))
    stored = np.where(filled(whole(LEAF)), 2, filled(whole(CRACK)))
    assert (labels == np.rot90(stored, -1)).all()
    assert any("labels were drawn as stored, and turned upright" in remark for remark in report.remarks)
    content = json.loads((tmp_path / "out" / "import.json").read_text())
    assert content["remarks"] == report.remarks
