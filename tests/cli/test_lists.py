import inspect
import json
from pathlib import Path
from typing import get_args

import pytest

from attseg.cli import main
from attseg.context import ContextName
from attseg.models import MODELS, PAN
from attseg.recipes import RECIPES
from attseg.recipes.measured import MEASURED
from attseg.recipes.values import to_values


def test_recipes_are_listed_with_their_settings(capsys):
    assert main(["recipes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert list(listed) == list(RECIPES)
    pan = listed["pan-camvid"]
    assert pan == to_values(RECIPES["pan-camvid"]()) | {"about": pan["about"], "ours": pan["ours"]}
    assert (pan["ours"]["miou"], pan["ours"]["changed"], listed["pan-voc"]["ours"]) == (
        57.0,
        "as in 0.1.0, from scratch; steps 2000, bfloat16",
        None,
    )
    assert main(["recipes"]) == 0
    assert all(f"\n{name} " in capsys.readouterr().out for name in list(RECIPES)[:1])


def test_recipes_are_listed_with_the_papers_figure_and_ours(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["recipes"]) == 0
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert rows["pan-voc"][-2:] == ["30000", "79.38"]
    assert rows["pan-camvid"][-2:] == ["6000", "57.0*"]
    assert rows["pan-demo"][-1] == "83.2*"


def test_what_was_measured_is_of_recipes_that_there_are():
    assert MEASURED.keys() <= RECIPES.keys()
    results = (Path(__file__).parents[2] / "docs" / "papers" / "results.md").read_text()
    assert all(f"{found.miou:.1f}" in results or f"{found.miou:.2f}" in results for found in MEASURED.values())


def test_models_are_listed_with_the_options_of_their_constructors(capsys):
    assert main(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert list(listed) == list(MODELS)
    assert list(listed["PAN"]["options"]) == list(inspect.signature(PAN).parameters)[1:]
    assert listed["PAN"]["options"]["context"]["choices"] == list(get_args(ContextName))
    assert listed["PAN"]["options"]["pyramid_kernels"]["default"] == [7, 5, 3]
    assert all(option["about"].endswith(".") for model in listed.values() for option in model["options"].values())
    assert "1805.10180" in listed["PAN"]["paper"]


@pytest.mark.parametrize("name", MODELS)
def test_one_model_can_be_named(name, capsys):
    assert main(["models", name]) == 0
    text = capsys.readouterr().out
    assert [other for other in MODELS if f"{other}: " in text] == [name]


def test_an_unknown_model_names_the_nearest(capsys):
    assert main(["models", "PANN"]) == 2
    assert capsys.readouterr().err.startswith("attseg: there is no model 'PANN'; did you mean 'PAN'?")


def test_the_doctor_speaks_json_and_tables(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["torch"]["ok"] is True
    assert main(["doctor"]) == 0
    assert f"torch {found['torch']['value']}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_encoders_are_listed_with_their_cost_and_where_their_weights_are(capsys, monkeypatch):
    monkeypatch.setattr("attseg.profiling.encoders.ENCODERS", ("resnet18", "tf_efficientnet_lite0"))
    monkeypatch.setattr("attseg.encoders.weights.packaged_weights", lambda name: None)
    assert main(["models", "--encoders", "--json"]) == 0
    resnet, lite = json.loads(capsys.readouterr().out)
    assert resnet["parameters"] == 11_176_512  # torchvision's 11,689,512 without the classifier's 513,000
    assert (resnet["strides"], resnet["licence"]) == ([8, 16, 32], "apache-2.0")
    assert "attseg[weights]" in lite["weights"] and "attseg[weights]" not in resnet["weights"]


@pytest.mark.slow
def test_names_of_encoders_are_whole_in_a_terminal_of_80_columns(capsys, monkeypatch):
    names = ("swin_tiny_patch4_window7_224", "tf_efficientnet_lite0")
    monkeypatch.setattr("attseg.profiling.encoders.ENCODERS", names)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["models", "--encoders"]) == 0
    text = capsys.readouterr().out
    assert all(any(line.split()[:1] == [name] for line in text.splitlines()) for name in names), text
    assert main(["models", "--small"]) == 0
    assert "tf_efficientnet_lite0" in capsys.readouterr().out.split()


@pytest.mark.slow
def test_the_small_family_is_listed_cheapest_first(capsys):
    assert main(["models", "--small", "--json"]) == 0
    family = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in family] == ["nano", "small", "medium"]
    costs = [each["multiply_adds"] for each in family]
    assert costs == sorted(costs)


def test_lists_of_different_things_are_refused(capsys):
    assert main(["models", "--encoders", "--small"]) == 2
    assert "--encoders and --small" in capsys.readouterr().err
