from dataclasses import replace

import pytest
import torch

from attseg.checkpoint import architecture
from attseg.errors import UsageError
from attseg.models import build_model
from attseg.prediction.protocols import find_protocol
from attseg.recipes import RECIPES, find_recipe


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_knows_its_name_and_builds_its_model(name):
    recipe = RECIPES[name]()
    assert recipe.name == name
    with torch.device("meta"):  # without first weights, which lie on the network
        model = build_model(recipe.model.name, architecture(recipe.model.args), 11)
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


PUBLISHED = {
    "pan-voc": ("voc2012", "train_aug", 79.38, "single"),
    "pan-voc-test": ("voc2012", "trainval", 84.0, "pan-multiscale"),
    "pan-cityscapes": ("cityscapes", "train", 78.6, "pan-multiscale"),
    "psanet-ade20k-50": ("ade20k", "train", 41.92, "psanet-sliding"),
    "psanet-ade20k-101": ("ade20k", "train", 42.75, "psanet-sliding"),
    "psanet-voc-50": ("voc2012", "train_aug", 77.24, "psanet-sliding"),
    "psanet-voc-101": ("voc2012", "train_aug", 78.51, "psanet-sliding"),
    "psanet-cityscapes-50": ("cityscapes", "train", 76.65, "psanet-sliding"),
    "psanet-cityscapes-101": ("cityscapes", "train", 77.94, "psanet-sliding"),
    "psanet-voc-test": ("voc2012", "train_aug+val", 85.7, "psanet-multiscale"),
    "psanet-cityscapes-test": ("cityscapes", "train+val", 80.1, "psanet-multiscale"),
    "psanet-cityscapes-coarse-test": ("cityscapes", "train+val+train_extra", 81.4, "psanet-multiscale"),
    "dfdam-voc-50": ("voc2012", "train_aug", 74.6, "single"),
    "dfdam-voc-101": ("voc2012", "train_aug", 77.9, "single"),
    "dfdam-voc-test": ("voc2012", "trainval", 82.3, "dfdam-multiscale"),
    "dfdam-cityscapes": ("cityscapes", "train", 73.1, "single"),
    "a2r-voc": ("voc2012", "train_aug", 67.98, "single"),
    "a2r-ade20k": ("ade20k", "train", 37.07, "csail-5scale"),
}


def test_the_papers_recipes_name_row_figure_and_protocol():
    found = {name: make() for name, make in RECIPES.items() if make().expected_miou is not None}
    assert {n: (r.data.name, r.data.train, r.expected_miou, r.protocol) for n, r in found.items()} == PUBLISHED
    assert all(", table " in recipe.source for recipe in found.values())
    for recipe in found.values():
        find_protocol(recipe.protocol, data=recipe.data.name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_papers_networks_begin_with_pretrained_encoders_or_a_run(name):
    recipe = find_recipe(name)
    args = recipe.model.args
    assert (recipe.init is None) == args.get("base_args", args).get("pretrained", False)
    if recipe.init is not None:
        assert recipe.init.removeprefix("runs/") in RECIPES


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_papers_losses_weigh_every_auxiliary_output(name):
    recipe = find_recipe(name)
    with torch.device("meta"):
        model = build_model(recipe.model.name, architecture(recipe.model.args), 19).train()
        aux = model(torch.empty(2, 3, 65, 65)).aux
    assert aux.keys() == recipe.loss.aux.keys()


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(UsageError, match="no recipe 'pan-canvid'; did you mean 'pan-camvid'"):
        find_recipe("pan-canvid")
