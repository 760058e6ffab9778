from torch import nn

from attseg.data.sets.scenes import Scenes
from attseg.recipes import find_recipe
from attseg.recipes.nested import put
from attseg.recipes.recipe import Machine, Recipe
from attseg.recipes.values import from_values, to_values
from attseg.runs.opening import busy_hint, foretell, opening


def test_a_run_says_what_it_is_made_of():
    settings = {"steps": 90, "batch_size": 4, "val_every": 0, "model.args.encoder": "resnet34"}
    recipe = from_values(Recipe, put(to_values(find_recipe("pan-scenes")), settings))
    data, val = Scenes("train", count=60), Scenes("val", count=8)
    about = {"device": "cpu", "workers": 2, "machine": Machine(precision="bf16")}
    said = "\n".join(opening(recipe, nn.Linear(999, 1000), data, val, **about))
    for fact in ("60 training and 8 validation", "12 classes", "PAN, encoder resnet34 (random weights), 1.00 M"):
        assert fact in said
    assert "bf16, 2 processes" in said and "90 steps of 4 images, 6 epochs; first validation after step" in said
    begun = "\n".join(opening(recipe, nn.Linear(1, 1), data, val, **about, encoder_weights="120 tensors from x.pth"))
    assert "resnet34 (120 tensors from x.pth)" in begun


def test_the_length_is_foretold():
    assert foretell(0.25, 480, 1) == "about 2 min 0 s to go at 0.25 s a step, and 1 validation"
    assert foretell(0.25, 480, 0) == "about 2 min 0 s to go at 0.25 s a step"


def test_busy_cores_are_told_and_free_ones_are_not():
    assert busy_hint(1, 2, 9.0) is None and busy_hint(2, 2, 0.3) is None and busy_hint(8, 16, 7.6) is None
    assert "OMP_NUM_THREADS=1 " in busy_hint(2, 2, 11.0) and "OMP_NUM_THREADS=12 " in busy_hint(16, 16, 4.2)
