"""Suggestions on a small folder: the summary against counts by hand, the command against the parser, the time against a run."""

import csv
import json
import shlex
from dataclasses import replace

import numpy as np
import pytest

from arranging import write_usual
from attseg.cli import main
from attseg.data.catalog import open_data
from attseg.errors import UsageError
from attseg.recipes.recipe import DataSpec, Machine, ModelSpec, Recipe
from attseg.suggest import pace
from attseg.suggest.choose import Computer, choose
from attseg.suggest.data import DataSummary, summarise
from attseg.suggest.job import suggest

CPU = Computer("cpu", "", 2, 8 * 2**30, False)


def write(root, count=4, size=(96, 128)):
    rng, labels = np.random.default_rng(0), np.zeros(size, np.uint8)
    labels[10:20, 10:20] = 1
    classes = "index,name,r,g,b\n0,ground,0,0,0\n1,thing,255,0,0\n2,never,0,0,255\n"
    return write_usual(
        root, lambda: (rng.integers(0, 255, (*size, 3), np.uint8), labels), classes, train=count, val=count
    )


def summary(**changes):
    values = {"train": 100, "val": 20, "looked_at": 60, "size": (300, 400), "smallest_size": (300, 400)}
    values |= {"shares": {"a": 0.6, "b": 0.4}, "samples": {"a": 60, "b": 60}, "object_side": 50.0, "object_class": "b"}
    return DataSummary(**values | changes)


def test_the_summary_is_what_was_drawn(tmp_path):
    root = write(tmp_path)
    train, val = (open_data("folder", split, root=root) for split in ("train", "val"))
    found = summarise(train, val)
    assert (found.train, found.val, found.looked_at, found.size, found.smallest_size) == (4, 4, 4, (96, 128), (96, 128))
    assert found.shares == {"ground": 1 - 100 / (96 * 128), "thing": 100 / (96 * 128), "never": 0}
    assert found.samples == {"ground": 4, "thing": 4, "never": 0}
    assert (found.object_class, found.object_side) == ("thing", 10.0)
    assert found.imbalance == pytest.approx((96 * 128 - 100) / 100)
    assert found.rare == {"never": 0}


def test_choices_follow_the_data_and_the_computer():
    spec = DataSpec(name="folder", root="mine")
    recipe, machine, _ = choose(summary(), spec, CPU, 1000)
    assert (recipe.name, recipe.batch_size, machine.precision, recipe.loss.class_weights) == (
        "finetune-small",
        8,
        "32",
        "none",
    )
    height, width = recipe.crop_size
    assert height % 32 == width % 32 == 0 and height * width <= 352**2 and width > height
    rare = summary(shares={"a": 0.99, "b": 0.01})
    assert choose(rare, spec, CPU, 1000)[0].loss.class_weights == "sqrt-median-frequency"
    assert choose(summary(), spec, CPU, 8 * 2**30 / 4 / (height * width * 3))[0].batch_size == 3
    gpu = Computer("cuda", "H", 8, 80 * 2**30, True)
    bigger, machine, _ = choose(summary(), spec, gpu, 1000)
    assert (bigger.name, bigger.batch_size, machine.precision) == ("finetune-medium", 16, "bf16")
    assert choose(summary(train=3), spec, CPU, 1000)[0].batch_size == 3


@pytest.mark.slow
def test_the_command_trains_as_many_steps_as_suggested(tmp_path, capsys):
    """How long they take is not compared: on a busy machine that changes from one minute to the next."""
    root = write(tmp_path / "mine")
    found = suggest(DataSpec(name="folder", root=str(root)), minutes=0.3, seconds=2)
    assert found.recipe.steps >= 1
    out = tmp_path / "run"
    assert main([*shlex.split(found.command)[1:], "--out", str(out)]) == 0
    assert (out / "best.safetensors").exists()
    with (out / "metrics.csv").open() as file:
        last = list(csv.DictReader(file))[-1]
    assert int(last["step"]) == found.recipe.steps
    capsys.readouterr()
    assert main(["suggest", str(root), "--minutes", "0.3", "--seconds", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["estimate"]["low"] <= told["estimate"]["minutes"] <= told["estimate"]["high"]
    assert any("never in 0" in note for note in told["notes"])
    assert any("96 x 128" in reason for reason in told["why"])


class Clock:
    """A clock that steps of training alone move, by some seconds a picture."""

    def __init__(self, seconds):
        self.now, self.seconds = 0.0, seconds
        self.batches = []

    def perf_counter(self):
        return self.now

    def step(self, learner, batches, losses):
        self.batches.append(len(next(batches)["images"]))
        self.now += self.seconds * self.batches[-1]
        learner.step += 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seconds", "picture", "batches"), [(20, 10.0, [2]), (11, 1.5, [2] * 3), (20, 0.5, [2] * 3 + [4] * 8)]
)
def test_timing_keeps_within_its_time(tmp_path, monkeypatch, seconds, picture, batches):
    """On a slow computer small steps are timed alone; a step of 4 pictures takes 4 times a picture in any case."""
    clock = Clock(picture)
    monkeypatch.setattr(pace, "time", clock)
    monkeypatch.setattr(pace, "train_step", clock.step)
    monkeypatch.setattr(pace.RecentLosses, "take", lambda *args, **_: None)
    root = write(tmp_path)
    train, val = (open_data("folder", split, root=root) for split in ("train", "val"))
    args = {"encoder": "test_resnet", "channels": 8}
    recipe = Recipe(name="a", model=ModelSpec(name="FCN", args=args), crop_size=(64, 64), batch_size=4, steps=100)
    found = pace.measure(recipe, Machine(device="cpu", workers=0), train, val, seconds=seconds)
    assert clock.batches == batches
    assert clock.now <= seconds
    assert set(found.steps) == {4 * picture}


def test_reading_ends_in_time(tmp_path):
    train, val = (open_data("folder", split, root=write(tmp_path / split)) for split in ("train", "val"))
    assert summarise(train, val, seconds=0).looked_at == 1


def test_what_is_too_little_is_refused(tmp_path):
    root = write(tmp_path, count=1)
    with pytest.raises(UsageError, match="has 1 pictures in 'train' and 1 in 'val'"):
        suggest(DataSpec(name="folder", root=str(root)))
    with pytest.raises(UsageError, match="minutes is 0"):
        suggest(DataSpec(name="folder", root=str(root)), minutes=0)
    assert replace(summary(), looked_at=100).rare == {}


def test_one_timed_step_is_no_estimate_to_rely_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("attseg.suggest.job.measure", lambda *_, **__: pace.Pace([9.0], 1.0))
    assert main(["suggest", str(write(tmp_path)), "--minutes", "0.3"]) == 0
    out = capsys.readouterr().out
    assert "too rough to rely on: one step" in out
    assert "9.00 s each" in out
