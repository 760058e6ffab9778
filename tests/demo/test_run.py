import csv
import json
import signal
import time

import numpy as np
import pytest
from rich.console import Console

from attseg.checkpoint import save_weights
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import SCENES
from attseg.demo import run
from attseg.demo.page import MARK
from attseg.demo.run import multiply_adds, pan_recipe, run_demo, without_attention
from attseg.errors import UsageError
from attseg.evaluation.report import Report
from attseg.inference.segmenter import load
from attseg.models import build_model
from attseg.runs.errors import Interrupted


class FakeTraining:
    """Writes what ``train`` writes, with weights as they are at first."""

    def __init__(self):
        self.recipes = []
        self.failure = None

    def __call__(self, recipe, machine, *, out, console=None):
        if self.failure is not None and len(self.recipes) == 3:
            raise self.failure
        self.recipes.append(recipe)
        out.mkdir()
        model = build_model(recipe.model.name, recipe.model.args, len(SCENES))
        save_weights(
            out / "best.safetensors",
            model.state_dict(),
            model=recipe.model,
            classes=SCENES,
            preprocessing=Preprocessing(),
            info={"seed": recipe.seed},
        )
        counts = np.diag(np.full(len(SCENES), 10)) + len(self.recipes)
        probes = dict.fromkeys(("context", "scale", "boundary"), counts)
        (out / "report.json").write_text(json.dumps(Report(SCENES, counts, pictures=2, probes=probes).to_dict()))
        with (out / "metrics.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("step", "images_per_second"))
            writer.writerows((step, 5.0 if step == 1 else 40.0) for step in (1, recipe.steps // 2, recipe.steps))
        return out


@pytest.fixture
def training(monkeypatch):
    fake = FakeTraining()
    monkeypatch.setattr(run, "train", fake)
    monkeypatch.setattr(run, "multiply_adds", lambda model: 1_000 * model.args["channels"])
    monkeypatch.setattr(run, "SHOWN", 1)
    return fake


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_the_network_without_attention_costs_as_much():
    pan = pan_recipe(3)
    fcn = without_attention(pan)
    assert abs(multiply_adds(fcn.model) / multiply_adds(pan.model) - 1) < 0.02
    assert (fcn.model.name, fcn.model.args["context"], fcn.model.args["decoder"]) == ("FCN", "none", "skip")
    assert (fcn.optim, fcn.data, fcn.augment, fcn.batch_size, fcn.seed) == (
        pan.optim,
        pan.data,
        pan.augment,
        pan.batch_size,
        3,
    )


def test_multiply_adds_of_one_convolution_are_those_of_its_formula(monkeypatch):
    conv = run.torch.nn.Conv2d
    monkeypatch.setattr(run, "build_model", lambda name, args, classes: conv(3, 5, 3, padding=1))
    height, width = run.SIZE
    assert multiply_adds(pan_recipe(0).model) == height * width * 3 * 5 * 9


@pytest.mark.slow
def test_the_demo_leaves_a_page_and_two_runs_and_nothing_else(tmp_path, training):
    out = tmp_path / "new" / "demo"
    console = Console(record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    page = run_demo(out, minutes=0.3, seed=5, console=console)
    console.file.close()
    assert page == out / "index.html" and MARK in page.read_text()
    assert names(out) == ["fcn", "index.html", "pan"]
    assert [recipe.seed for recipe in training.recipes] == [5] * 4
    assert f"done; open {page}: it shows what came out, and what to try next\n" in console.export_text()
    assert load(out / "pan").classes == SCENES


@pytest.mark.slow
def test_both_networks_get_the_steps_that_fit_the_time(tmp_path, training):
    began = time.monotonic()
    run_demo(tmp_path / "demo", minutes=1)
    spent = time.monotonic() - began
    pan, fcn = training.recipes[2:]
    share = pan.steps * pan.batch_size / 40  # seconds at 40 pictures a second
    assert pan.steps == fcn.steps
    assert 30 - run.FINISH - spent / 2 <= share <= 30 - run.FINISH
    assert pan.val_every == pan.steps


@pytest.mark.slow
def test_a_second_demo_replaces_the_first(tmp_path, training):
    out = tmp_path / "demo"
    run_demo(out, minutes=0.01)
    (out / "pan" / "old.txt").write_text("old")
    (out / "notes.txt").write_text("mine")
    (out / ".unfinished").mkdir()
    run_demo(out, minutes=0.01)
    assert names(out) == ["fcn", "index.html", "notes.txt", "pan"]
    assert "old.txt" not in names(out / "pan")


def test_a_folder_with_something_else_is_left_alone(tmp_path, training):
    (tmp_path / "pan").mkdir()
    (tmp_path / "index.html").write_text("my own page")
    with pytest.raises(UsageError, match="not empty, and holds no earlier demo.*choose another folder"):
        run_demo(tmp_path)
    assert names(tmp_path) == ["index.html", "pan"] and training.recipes == []


@pytest.mark.slow
@pytest.mark.parametrize("failure", [KeyboardInterrupt(), Interrupted("stopped after step 3", signal.SIGTERM)])
def test_stopping_leaves_everything_as_it_was(tmp_path, training, failure):
    out = tmp_path / "demo"
    training.failure = failure
    with pytest.raises(type(failure)):
        run_demo(out, minutes=0.01)
    assert not out.exists()
    training.failure = None
    page = run_demo(out, minutes=0.01).read_bytes()
    training.failure, training.recipes = failure, []
    with pytest.raises(type(failure)):
        run_demo(out, minutes=0.01)
    assert names(out) == ["fcn", "index.html", "pan"] and (out / "index.html").read_bytes() == page


def test_an_interruption_says_what_is_there_rather_than_how_to_resume(tmp_path, training):
    training.failure = Interrupted("resume it", signal.SIGTERM)
    with pytest.raises(Interrupted, match="the demo was stopped; .*demo is as it was before") as caught:
        run_demo(tmp_path / "demo", minutes=0.01)
    assert caught.value.signal == signal.SIGTERM


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_a_demo_needs_time(tmp_path, minutes):
    with pytest.raises(UsageError, match=r"was given .* minutes; more than 0 was expected"):
        run_demo(tmp_path / "demo", minutes=minutes)
    assert names(tmp_path) == []


@pytest.mark.slow
def test_the_demo_runs_for_real(tmp_path):
    page = run_demo(tmp_path / "demo", minutes=0.05)
    assert MARK in page.read_text() and page.stat().st_size < 5_000_000
    assert json.loads((tmp_path / "demo" / "fcn" / "report.json").read_text())["pictures"] == 200
