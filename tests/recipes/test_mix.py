"""What is said of the mixes: they cost no more than the papers' own networks, and differ from their rows in the network alone."""

from dataclasses import replace

import pytest
import torch

from attseg.checkpoint import architecture
from attseg.models import build_model
from attseg.profiling.count import profile
from attseg.recipes import RECIPES, find_recipe
from attseg.recipes.pan import PRETRAINED
from attseg.recipes.recipe import ModelSpec
from attseg.recipes.tables import find_table
from attseg.recipes.tables.small import small

MIXES = [*(name for name in RECIPES if name.startswith("mix-") and name.endswith("-scenes")), "pan-32-scenes"]
OWN = (("psanet:1", "50-both"), ("pan:5", "single"), ("dfdam:1", "50-dafm-2dpam"), ("a2r:1", "ours"))


def cost(model: ModelSpec, size=(160, 384)):
    with torch.device("meta"):
        built = build_model(model.name, architecture(model.args), 12).eval()
    return profile(built, size).total.multiply_adds


@pytest.fixture(scope="module")
def own():
    return [small(find_table(table), find_table(table).row(row)) for table, row in OWN]


@pytest.mark.slow
@pytest.mark.parametrize("name", MIXES)
def test_no_mix_costs_more_than_the_cheapest_of_the_papers_own(name, own):
    assert cost(find_recipe(name).model) <= min(cost(recipe.model) for recipe in own)


@pytest.mark.parametrize("name", MIXES)
def test_a_mix_differs_from_the_papers_own_in_its_network_alone(name, own):
    mix = find_recipe(name)
    for recipe in own:
        same = replace(recipe, name=name, model=mix.model, loss=mix.loss, val_every=mix.val_every, source=mix.source)
        assert same == mix
        assert replace(recipe.loss, aux={}) == replace(mix.loss, aux={})


@pytest.mark.slow
def test_the_mix_on_camvid_is_that_of_the_scenes_and_costs_less_than_the_papers_own():
    mix, pan = find_recipe("mix-global-gau-camvid"), find_recipe("pan-camvid")
    assert mix == replace(pan, name=mix.name, model=mix.model)
    small = find_recipe("mix-global-gau-scenes").model
    assert {**small.args, **PRETRAINED} == mix.model.args and small.name == mix.model.name
    for name in ("pan-camvid", "psanet-camvid", "dfdam-camvid", "a2r-camvid"):
        assert cost(mix.model, (360, 480)) < cost(find_recipe(name).model, (360, 480))
