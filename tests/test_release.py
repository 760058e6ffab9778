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


@pytest.mark.parametrize("name", ["model.onnx", "model.xml", "model.pt2"])
def test_exported_files_predict_the_same(name, tmp_path):
    assert_as_released(load(unpacked("exported", tmp_path) / name))


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
