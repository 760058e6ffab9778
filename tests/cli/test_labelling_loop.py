"""Predictions go to a labelling tool, are corrected there, and come back as a data set."""

import json

import numpy as np
import pytest
from PIL import Image

from attseg.cli import main
from attseg.data.catalog import open_data

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools 2.0.11


@pytest.fixture
def predicted(tmp_path):
    """Predictions of the demo for two of its own scenes, and their class table."""
    scenes = open_data("scenes", "val", size=(96, 160))
    (tmp_path / "photos").mkdir()
    for index in range(2):
        Image.fromarray(scenes[index].image).save(tmp_path / "photos" / f"{index}.png")
    call = ["predict", "demo", str(tmp_path / "photos"), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main([*call, "--min-region", "6", "--save", "labelme,coco", "--no-overlay"]) == 0
    return tmp_path, scenes.classes


def imported(folder, classes):
    """The labels of an imported data set by the name of the picture, with the classes of the model."""
    found = {}
    for split in ("train", "val"):
        data = open_data("folder", split, root=str(folder))
        to_model = np.array([classes.names.index(name) for name in data.classes.names] + [255], np.uint8)
        for index in range(len(data)):
            labels = data[index].labels
            found[data.name(index).rpartition("/")[2]] = to_model[np.minimum(labels, len(to_model) - 1)]
    return found


def labels_of(folder):
    return {path.stem: np.asarray(Image.open(path)) for path in (folder / "out/labels").glob("*.png")}


def test_uncorrected_predictions_come_back_to_the_pixel(predicted, capsys):
    folder, classes = predicted
    expected = labels_of(folder)
    for source in ("labelme", "coco.json"):
        back = folder / f"back-{source}"
        call = ["data", "import", str(folder / "out" / source), "--images", str(folder / "photos")]
        assert main([*call, "--out", str(back), "--split", "0.5", "--uncovered", "ignore"]) == 0, (
            capsys.readouterr().err
        )
        found = imported(back, classes)
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_a_corrected_outline_changes_its_own_pixels_alone(predicted):
    folder, classes = predicted
    file = folder / "out/labelme/0.json"
    content = json.loads(file.read_text())
    shape = content["shapes"][-1]
    old = shape["label"]
    shape["label"] = next(name for name in classes.names if name != old)
    file.write_text(json.dumps(content))
    call = ["data", "import", str(folder / "out/labelme"), "--images", str(folder / "photos")]
    assert main([*call, "--out", str(folder / "back"), "--split", "0.5", "--uncovered", "ignore"]) == 0
    before, found = labels_of(folder)["0"], imported(folder / "back", classes)["0"]
    changed = found != before
    assert changed.any()
    assert set(before[changed]) == {classes.names.index(old)}
    assert set(found[changed]) == {classes.names.index(shape["label"])}
