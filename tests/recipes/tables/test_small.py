from dataclasses import replace

import pytest
import torch

from attseg.models import build_model
from attseg.recipes.psanet import psanet_scenes
from attseg.recipes.tables import TABLES, find_table
from attseg.recipes.tables.small import small, small_figures

ROWS = [(table, row) for table in TABLES.values() for row in table.rows if row.recipe is not None]


def by_name(data):
    found = {}
    for table, row in ROWS:
        recipe = replace(small(table, row, data=data), source="")
        assert found.setdefault(recipe.name, recipe) == recipe
    return found


@pytest.mark.parametrize("data", ["scenes", "camvid"])
def test_rows_of_one_name_are_one_recipe_and_others_differ(data):
    found = by_name(data)
    bodies = {repr(replace(recipe, name="r")) for recipe in found.values()}
    assert len(bodies) == len(found)


@pytest.mark.slow
def test_every_small_row_builds_and_is_trained_alike():
    for recipe in by_name("scenes").values():
        with torch.device("meta"):
            model = build_model(recipe.model.name, recipe.model.args, 8).train()
            out = model(torch.empty(2, 3, *recipe.crop_size))
        assert out.aux.keys() == recipe.loss.aux.keys()
        base = psanet_scenes()
        alike = replace(recipe, name=base.name, model=base.model, loss=base.loss, val_every=0, source="")
        assert alike == base
        assert sum(parameter.numel() for parameter in model.parameters()) < 3e6


def test_what_cannot_be_run_has_no_small_form():
    table = find_table("pan:2")
    assert small(table, table.row("deeplabv3")) is None


def test_steps_and_data_can_be_chosen():
    table = find_table("psanet:1")
    recipe = small(table, table.row("50-psp"), data="camvid", steps=7)
    assert (recipe.steps, recipe.val_every, recipe.data.name, recipe.name) == (7, 7, "camvid", "psanet-camvid-psp")
    assert recipe.model.args["crop_size"] == recipe.crop_size == (256, 352)
    assert recipe.source == "Zhao et al., ECCV 2018, table 1, ResNet50+PSP, at a small scale"


def test_the_first_figure_is_measured_without_the_papers_windows():
    [figure] = small_figures(find_table("psanet:1").row("50-psp"))
    assert (figure.protocol, figure.miou) == ("single", 41.68)
    [figure] = small_figures(find_table("pan:5").row("ms"))
    assert (figure.protocol, figure.changes) == ("pan-multiscale", {"flip": False})
