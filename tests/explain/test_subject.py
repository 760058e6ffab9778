import numpy as np
import pytest
from PIL import Image

from attseg.data.classes import ClassTable
from attseg.explain.subject import cautions_of, labels_in_data
from attseg.recipes.recipe import DataSpec, ModelSpec, Recipe
from attseg.recipes.values import to_values

COLORS = ((0, 0, 0), (200, 0, 0))


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (tmp_path / kind / split).mkdir(parents=True)
        for name in "ab":
            labels = rng.integers(0, 2, (32, 40), np.uint8)
            Image.fromarray(labels * 90).save(tmp_path / "images" / split / f"{name}.png")
            Image.fromarray(labels).save(tmp_path / "labels" / split / f"{name}.png")
    (tmp_path / "classes.csv").write_text("index,name\n0,road\n1,car\n")
    return tmp_path


def info(root):
    data = DataSpec(name="folder", root=str(root))
    model = ModelSpec(name="FCN")
    return {"recipe": to_values(Recipe(name="x", model=model, data=data, crop_size=(32, 32), batch_size=2, steps=1))}


def test_labels_of_a_picture_of_the_data_set_are_found_in_its_own_split(folder):
    classes = ClassTable(("road", "car"), COLORS)
    for split in ("train", "val"):
        picture = folder / "images" / split / "b.png"
        found = labels_in_data(str(picture), info(folder), folder / "best.safetensors", classes, (32, 40))
        assert np.array_equal(found, np.array(Image.open(folder / "labels" / split / "b.png")))


def test_other_pictures_and_other_classes_have_none(folder, tmp_path_factory):
    classes, other = ClassTable(("road", "car"), COLORS), ClassTable(("car", "road"), COLORS)
    picture = folder / "images" / "val" / "b.png"
    elsewhere = tmp_path_factory.mktemp("other") / "b.png"
    elsewhere.write_bytes(picture.read_bytes())
    weights = folder / "best.safetensors"
    assert labels_in_data(str(elsewhere), info(folder), weights, classes, (32, 40)) is None
    assert labels_in_data(str(picture), info(folder), weights, other, (32, 40)) is None
    assert labels_in_data(str(picture), info(folder / "gone"), weights, classes, (32, 40)) is None
    assert labels_in_data(str(picture), {}, weights, classes, (32, 40)) is None


def test_models_of_generated_scenes_are_named():
    assert cautions_of([("a", "camvid"), ("b", None)]) == []
    (caution,) = cautions_of([("a", "scenes"), ("b", "camvid"), ("c", "scenes")])
    assert "a and c were" in caution and "b" not in caution.split()
