"""Label Studio: polygons as its converter hands them to COCO, brushes as its packing says, percent of the picture."""

import warnings

import numpy as np
import pytest
from pycocotools import mask as tool

from attseg.data.importing.job import import_data
from labelling import (
    CRACK,
    HEIGHT,
    LEAF,
    WIDTH,
    bitmask,
    brush,
    read_labels,
    studio_folder,
    studio_polygon,
    studio_result,
    studio_task,
    write_json,
    write_picture,
)


def filled(points):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        percents = np.array(points) * 100 / (WIDTH, HEIGHT)
        runs = tool.merge(tool.frPyObjects([(percents * (WIDTH / 100, HEIGHT / 100)).ravel().tolist()], HEIGHT, WIDTH))
        return tool.decode(runs).astype(bool)


def imported(tmp_path, *tasks, **options):
    """The labels of the picture a; a second picture has a crack and a leaf."""
    for index, name in enumerate("abc"):
        write_picture(tmp_path / "e" / f"{name}.jpg", index)
    other = studio_task(
        9, "s3://bucket/some%20folder/b.jpg", [studio_polygon("crack", CRACK), studio_polygon("leaf", LEAF)]
    )
    write_json(tmp_path / "e" / "project.json", [*tasks, other])
    report = import_data(tmp_path / "e", tmp_path / "out", **options)
    found = [*(tmp_path / "out" / "labels").rglob("a.png")]
    return read_labels(found[0]) if found else None, report


def test_polygons(tmp_path):
    labels, report = imported(tmp_path, studio_task(1, "/data/upload/1/89abcdef-a.jpg", [
        studio_polygon("crack", CRACK), studio_polygon("leaf", LEAF),
    ]))  # fmt: skip
    assert (labels == np.where(filled(LEAF), 2, filled(CRACK))).all()
    assert (report.format, report.classes) == ("label-studio", ["background", "crack", "leaf"])


def test_brushes(tmp_path):
    mask = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.3
    result = studio_result("leaf", "brush", {"format": "rle", "rle": brush(mask)})
    labels, _ = imported(tmp_path, studio_task(1, "/data/local-files/?d=photos/a.jpg", [result]))
    assert (labels == 2 * mask).all()


def test_bitmasks(tmp_path):
    mask = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.3
    result = studio_result("leaf", "bitmask", {"imageDataURL": bitmask(mask)})
    labels, _ = imported(tmp_path, studio_task(1, "a.jpg", [result]))
    assert (labels == 2 * mask).all()


def test_what_is_said_of_a_region_is_no_region(tmp_path):
    """Choices and labels of a region are results that repeat its place."""
    box = {"x": 10, "y": 10, "width": 20, "height": 25, "rotation": 0}
    results = [
        studio_result("crack", "rectangle", box, id="r"),
        {**studio_result("", "rectangle", {}, id="r"), "type": "choices", "value": {**box, "choices": ["sure"]}},
        {**studio_result("", "rectangle", {}, id="r"), "type": "labels", "value": {**box, "labels": ["crack"]}},
        studio_result("leaf", "vector", {"vertices": [{"x": 1, "y": 1}, {"x": 9, "y": 9}], "closed": False}, id="v"),
    ]
    labels, report = imported(tmp_path, studio_task(1, "a.jpg", results), boxes="skip")
    assert not labels.any()
    assert report.left_out["box without outline (--boxes fill takes them)"] == 1
    assert report.left_out["vector (it has no area)"] == 1


def test_tasks_of_several_pictures(tmp_path):
    task = studio_task(1, "a.jpg", [studio_polygon("crack", CRACK)])
    task["data"]["before"] = "c.jpg"
    labels, report = imported(tmp_path, task)
    assert (labels == filled(CRACK)).all()
    assert any("1 of the tasks name several pictures (image, before)" in remark for remark in report.remarks)
    task["annotations"][0]["result"].append({**studio_polygon("leaf", LEAF), "to_name": "before"})
    (tmp_path / "out").rename(tmp_path / "earlier")
    third = studio_task(3, "c.jpg", [studio_polygon("leaf", LEAF)])
    labels, report = imported(tmp_path, task, third)
    assert labels is None
    assert "regions on 2 pictures (before, image)" in report.broken["a"]


def test_rectangles_turned_about_their_corner_and_ellipses(tmp_path):
    box = {
        "x": 50,
        "y": 50,
        "width": 20,
        "height": 25,
        "rotation": 90,
    }  # 12 wide, 10 high, from x 30, y 20: turned, left of 30
    ellipse = {"x": 20, "y": 25, "radiusX": 10, "radiusY": 20, "rotation": 0}
    results = [studio_result("crack", "rectangle", box, id="r"), studio_result("leaf", "ellipse", ellipse, id="s")]
    labels, _ = imported(tmp_path, studio_task(1, "a.jpg", results))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[20:32, 20:30] = 1
    expected[((columns - 12) / 6) ** 2 + ((rows - 10) / 8) ** 2 <= 1] = 2
    assert (labels == expected).all()


def test_labels_apart_from_their_shape(tmp_path):
    """As of the tags Labels and Polygon: the label is a result of its own, with the number of the shape."""
    shape = studio_polygon("crack", CRACK)
    del shape["value"]["polygonlabels"]
    shape["type"] = "polygon"
    label = {"id": "a", "type": "labels", "value": {"points": shape["value"]["points"], "labels": ["leaf"]}}
    label["value"].pop("points")
    labels, _ = imported(tmp_path, studio_task(1, "a.jpg", [shape, label]))
    assert (labels == 2 * filled(CRACK)).all()


def test_the_annotation_that_counts(tmp_path):
    task = studio_task(1, "a.jpg", [studio_polygon("crack", CRACK)], updated_at="2026-03-01")
    task["annotations"] += studio_task(1, "", [studio_polygon("leaf", LEAF)], updated_at="2026-02-01")["annotations"]
    task["annotations"] += studio_task(1, "", [], updated_at="2026-04-01", was_cancelled=True)["annotations"]
    labels, report = imported(tmp_path, task)
    assert (labels == filled(CRACK)).all()
    assert any(remark.startswith("1 of the tasks were labelled more than once") for remark in report.remarks)
    task["annotations"][1]["ground_truth"] = True
    (tmp_path / "out").rename(tmp_path / "before")
    assert (imported(tmp_path, task)[0] == 2 * filled(LEAF)).all()


def test_tasks_that_nobody_has_labelled(tmp_path):
    empty, skipped = studio_task(1, "a.jpg", []), studio_task(2, "c.jpg", [], was_cancelled=True)
    labels, report = imported(tmp_path, empty, skipped)
    assert not labels.any()
    assert list(report.skipped) == ["c"] and "nobody" in report.skipped["c"]
    assert report.ok


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": {"points": [[1, 1], [2, 2], [3, 1]], "polygonlabels": ["a", "b"]}}, "2 labels"),
        ({"value": {"points": [[1, 1], [2, 2], [3, 1]]}}, "0 labels"),
        ({"original_width": None}, "states no size"),
        ({"image_rotation": 90}, "was turned"),
        ({"original_width": 61}, "different sizes"),
        ({"value": {"rle": [1, 2], "brushlabels": ["crack"]}}, "cut off"),
        ({"value": {"imageDataURL": "data:image/png;base64,?", "bitmasklabels": ["crack"]}}, "is no base64"),
        ({"value": {"imageDataURL": bitmask(np.ones((2, 3), bool)), "bitmasklabels": ["crack"]}}, "has 3 x 2 pixels"),
        ({"value": {"x": 1, "y": 1, "width": 1, "rectanglelabels": ["crack"]}}, "lacks x, y, width, height"),
    ],
)
def test_a_broken_result_skips_its_picture(tmp_path, change, said):
    results = [studio_polygon("leaf", LEAF), studio_polygon("crack", CRACK) | {"id": "z"} | change]
    third = studio_task(3, "c.jpg", [studio_polygon("leaf", LEAF)])
    labels, report = imported(tmp_path, studio_task(1, "a.jpg", results), third)
    assert labels is None
    assert said in report.broken["a"]


def test_folder(tmp_path):
    assert import_data(studio_folder(tmp_path / "e"), tmp_path / "out").splits == {"train": 5, "val": 1}
