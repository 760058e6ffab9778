import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from attseg.data.classes import ClassTable
from attseg.errors import UsageError
from attseg.inference.result import Result

CLASSES = ClassTable(("sky", "road", "car"), ((1, 2, 3), (4, 5, 6), (7, 8, 9)))
LABELS = np.array([[0, 0, 1, 1], [0, 2, 2, 255], [1, 1, 1, 1]], np.uint8)


def result(*, probabilities=True):
    probs = np.random.default_rng(0).random((3, 3, 4), np.float32)
    probs /= probs.sum(0)
    image = np.random.default_rng(1).integers(0, 256, (3, 4, 3), np.uint8)
    return Result(image, LABELS, probs.max(0), CLASSES, "a/b", lambda: None, probs if probabilities else None)


def test_probabilities_are_half_floats_with_the_names_of_the_classes(tmp_path):
    one = result()
    one.save(tmp_path, "probabilities")
    with np.load(tmp_path / "probabilities/a/b.npz") as found:
        assert found["probabilities"].dtype == np.float16
        assert np.abs(found["probabilities"] - one.probabilities).max() <= 2**-11
        assert found["classes"].tolist() == list(CLASSES.names)


def test_probabilities_of_chosen_classes_are_pictures(tmp_path):
    one = result()
    one.save(tmp_path, "probabilities", of=["car", "sky"])
    assert sorted(path.name for path in (tmp_path / "probabilities/a").iterdir()) == ["b.0.png", "b.2.png"]
    for index in (0, 2):
        found = np.asarray(Image.open(tmp_path / f"probabilities/a/b.{index}.png"))
        assert np.array_equal(found, np.rint(255 * one.probabilities[index]))


def test_labelme_files_hold_the_picture_and_every_region(tmp_path):
    one = result()
    one.save(tmp_path, "labelme")
    content = json.loads((tmp_path / "labelme/a/b.json").read_text())
    assert (content["imageHeight"], content["imageWidth"]) == LABELS.shape
    assert {shape["label"] for shape in content["shapes"]} == {"sky", "road", "car", "__ignore__"}
    embedded = Image.open(io.BytesIO(base64.b64decode(content["imageData"])))
    assert np.array_equal(np.asarray(embedded), one.image)


def test_geojson_and_coco_leave_out_what_is_not_sure(tmp_path):
    result().save(tmp_path, "geojson", "coco")
    features = json.loads((tmp_path / "geojson/a/b.geojson").read_text())["features"]
    coco = json.loads((tmp_path / "coco.json").read_text())
    assert sum(one["properties"]["pixels"] for one in features) == (LABELS != 255).sum()
    assert sum(one["area"] for one in coco["annotations"]) == (LABELS != 255).sum()
    assert coco["images"] == [{"id": 1, "file_name": "a/b.png", "height": 3, "width": 4}]
    names = {one["id"]: one["name"] for one in coco["categories"]}
    (car,) = [one for one in coco["annotations"] if names[one["category_id"]] == "car"]
    assert (car["bbox"], car["area"]) == ([1, 1, 2, 1], 2)


def test_polygons_and_names_of_a_result_with_unsure_pixels():
    one = result()
    assert one.names == ["road", "sky", "car"]
    assert sorted(polygon.label for polygon in one.polygons()) == [0, 1, 1, 2, 255]


@pytest.mark.parametrize(
    ("further", "of", "message"),
    [
        (("labelmi",), (), "did you mean 'labelme'"),
        (("probabilities",), ("caar",), "did you mean 'car'"),
        (("coco",), ("car",), "are not saved"),
    ],
)
def test_what_cannot_be_saved_is_refused_before_anything_is_written(tmp_path, further, of, message):
    with pytest.raises(UsageError, match=message):
        result().save(tmp_path, *further, of=of)
    assert list(tmp_path.iterdir()) == []


def test_a_result_without_probabilities_says_how_to_get_them(tmp_path):
    with pytest.raises(UsageError, match="probabilities=True"):
        result(probabilities=False).save(tmp_path, "probabilities")
