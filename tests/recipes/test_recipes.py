from dataclasses import replace

import pytest
import torch

from attseg.errors import UsageError
from attseg.models import build_model
from attseg.recipes import RECIPES, find_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_knows_its_name_and_builds_its_model(name):
    recipe = RECIPES[name]()
    assert recipe.name == name
    with torch.device("meta"):
        model = build_model(recipe.model.name, recipe.model.args, 11)
        images = torch.empty(1, 3, *recipe.crop_size)
    assert model.eval()(images).logits.shape == (1, 11, *recipe.crop_size)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_it_is_and_what_is_not_measured(name):
    doc = RECIPES[name].__doc__
    assert doc is not None
    assert "Not measured: " in doc


@pytest.mark.parametrize("data", ["scenes", "camvid"])
def test_the_baseline_differs_in_its_model_alone(data):
    pan, fcn = find_recipe(f"pan-{data}"), find_recipe(f"fcn-{data}")
    assert replace(fcn, name=pan.name, model=pan.model) == pan
    assert fcn.model != pan.model


@pytest.mark.parametrize("data", ["scenes", "camvid"])
def test_dfdam_differs_in_its_model_and_its_auxiliary_losses_alone(data):
    pan, dfdam = find_recipe(f"pan-{data}"), find_recipe(f"dfdam-{data}")
    assert replace(dfdam, name=pan.name, model=pan.model, loss=replace(dfdam.loss, aux={})) == pan
    assert dfdam.loss.aux == {"context": 0.4, "spatial": 0.1}
    assert dfdam.model.args == pan.model.args


@pytest.mark.parametrize("data", ["scenes", "camvid"])
def test_attention_to_refine_is_the_baseline_at_two_scales(data):
    fcn, a2r = find_recipe(f"fcn-{data}"), find_recipe(f"a2r-{data}")
    assert replace(a2r, name=fcn.name, model=fcn.model, loss=replace(a2r.loss, aux={})) == fcn
    assert (a2r.model.args["base"], a2r.model.args["base_args"]) == (fcn.model.name, fcn.model.args)
    assert a2r.loss.aux == {"scale_100": 1.0, "scale_50": 1.0}


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(UsageError, match="no recipe 'pan-canvid'; did you mean 'pan-camvid'"):
        find_recipe("pan-canvid")
