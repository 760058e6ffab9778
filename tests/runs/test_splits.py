import numpy as np
import pytest
from PIL import Image

from attseg.recipes.recipe import DataSpec, Recipe
from attseg.runs.splits import open_splits, remarks


@pytest.mark.parametrize(("train", "shared"), [("train", 0), ("train+val", 2), ("val+train", 2)])
def test_pictures_that_are_trained_on_and_evaluated_are_told(tmp_path, train, shared):
    for split, count in (("train", 3), ("val", 2)):
        for index in range(count):
            for kind, shape in (("images", (16, 16, 3)), ("labels", (16, 16))):
                (tmp_path / kind / split).mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.full(shape, index % 2, np.uint8)).save(tmp_path / kind / split / f"{index}.png")
    (tmp_path / "classes.csv").write_text("index,name\n0,one\n1,two\n")
    recipe = Recipe(name="own", data=DataSpec(name="folder", root=str(tmp_path), train=train))
    told = [text for text in remarks(recipe, *open_splits(recipe.data, None)) if "trained on" in text]
    assert [text.split(" pictures")[0] for text in told] == [f"{shared} of 2"] * bool(shared)
