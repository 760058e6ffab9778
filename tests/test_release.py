"""Runs, exported files and recipes of release 0.1.0 still load, and give what they gave then.

``release/`` holds one of each, made by that release: a finished run, a run that was stopped at step 81 of 90, the exported files
of the finished run, and its recipe. ``expected.json`` has what the release itself got from them.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from attseg import load
from attseg.checkpoint import read_weights
from attseg.cli import main
from attseg.data.sets.scenes import Scenes

RELEASE = Path(__file__).parent / "release"
EXPECTED = json.loads((RELEASE / "expected.json").read_text())


def unpacked(name, folder):
    shutil.unpack_archive(RELEASE / f"{name}.zip", folder)
    return folder


def areas_and_score(segmenter):
    result = segmenter(Scenes("val", size=(64, 96), count=2)[1].image)
    return np.bincount(result.labels.ravel(), minlength=12), result.scores.mean()


def assert_as_released(segmenter):
    areas, score = areas_and_score(segmenter)
    assert np.abs(areas - EXPECTED["areas"]).sum() <= 8  # pixels between two classes of equal probability
    assert score == pytest.approx(EXPECTED["scores"], abs=1e-4)


def test_a_finished_run_predicts_the_same(tmp_path):
    assert_as_released(load(unpacked("run", tmp_path) / "run"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.onnx", "model.xml", "model.pt2"])
def test_exported_files_predict_the_same(name, tmp_path):
    assert_as_released(load(unpacked("exported", tmp_path) / name))


@pytest.mark.slow
def test_a_finished_run_is_evaluated(tmp_path, capsys):
    run = unpacked("run", tmp_path) / "run"
    before = json.loads((run / "report.json").read_text())
    assert main(["evaluate", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["miou"] == pytest.approx(before["miou"], abs=1e-3)


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path):
    run = unpacked("half", tmp_path) / "half"
    assert main(["train", "--resume", "--out", str(run)]) == 0
    state = read_weights(run / "last.safetensors").state
    for name, mean in EXPECTED["continued"].items():
        assert state[name].float().abs().mean().item() == pytest.approx(mean, abs=2e-6), name


@pytest.mark.slow
def test_a_recipe_trains(tmp_path):
    assert main(["train", str(RELEASE / "recipe.yaml"), "--steps", "2", "--out", str(tmp_path / "new")]) == 0
    assert (tmp_path / "new" / "last.safetensors").is_file()


def renamed(run, name):
    """The run under another name of as many characters as its own, which only new runs are refused."""
    old = "pan-scenes"
    assert len(name) == len(old)
    found = 0
    for path in (path for path in run.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for before, after in (
            (f'{{}}"name{{}}": {{}}"{old}', f'{{}}"name{{}}": {{}}"{name}'),
            (f"name: {old}", f"name: {name}"),
        ):
            for escape in ("", "\\"):
                sought = before.replace("{}", escape).encode()
                found += content.count(sought)
                content = content.replace(sought, after.replace("{}", escape).encode())
        path.write_bytes(content)
    assert found >= 1
    return run


@pytest.mark.slow
def test_a_run_with_a_name_that_new_runs_do_not_get_is_evaluated(tmp_path, capsys):
    run = renamed(unpacked("run", tmp_path) / "run", "my (2) run")
    assert read_weights(run / "best.safetensors").info["recipe"]["name"] == "my (2) run"
    assert main(["evaluate", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"] == "my (2) run"
    assert main(["publish", str(run), "--out", str(tmp_path / "card")]) == 0
    assert "name: my (2) run" in (tmp_path / "card" / "recipe.yaml").read_text()


def test_a_run_whose_name_leads_elsewhere_is_refused(tmp_path, capsys):
    run = renamed(unpacked("run", tmp_path) / "run", "../../home")
    assert main(["evaluate", str(run)]) == 2
    assert "'../../home'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_stopped_run_with_such_a_name_goes_on(tmp_path):
    run = renamed(unpacked("half", tmp_path) / "half", "my (2) run")
    assert main(["train", "--resume", "--out", str(run)]) == 0
    assert read_weights(run / "last.safetensors").info["recipe"]["name"] == "my (2) run"
