"""Two processes over gloo on the CPU, started by Lightning and by torchrun, against one process."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from attseg.checkpoint import read_weights

RUN = """
import sys, warnings
from pathlib import Path

warnings.simplefilter("error")

import torch
from torch import nn

from attseg.models import Segmentation
from attseg.recipes.recipe import AugmentSpec, DataSpec, LossSpec, Machine, Recipe
from attseg.training import first_weights, run
from attseg.training.errors import RunError


class Pixelwise(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.encoder = nn.Conv2d(3, 8, 1)
        self.head = nn.Conv2d(8, num_classes, 1)

    def forward(self, images):
        return Segmentation(self.head(self.encoder(images).relu()), {})


if __name__ == "__main__":
    out, devices, steps = sys.argv[1:]
    torch.set_num_threads(1)
    first_weights.build_model = lambda name, args, num_classes: Pixelwise(num_classes)
    run.draw_pictures = lambda *_: None
    recipe = Recipe(
        name="tiny",
        data=DataSpec(options={"size": (64, 64), "count": 5}),
        augment=AugmentSpec(scale=(1.0, 1.0)),
        loss=LossSpec(class_weights="sqrt-median-frequency"),
        crop_size=(64, 64),
        batch_size=4,
        steps=int(steps),
        val_every=2 if int(steps) < 100 else 0,
        ema=0.5,
    )
    try:
        run.train(recipe, Machine(device="cpu", workers=0, devices=int(devices), timeout=120), out=Path(out))
    except RunError as error:
        print(error)
        sys.exit(1)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "run.py"
    path.write_text(RUN)
    return path


def run(*command):
    subprocess.run([str(word) for word in command], check=True, timeout=240, env=os.environ | {"OMP_NUM_THREADS": "1"})


def torchrun(*arguments):
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", *arguments]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_train_and_count_as_one_does(script, tmp_path):
    run(sys.executable, script, tmp_path / "one", 1, 4)
    run(sys.executable, script, tmp_path / "two", 2, 4)
    run(*torchrun("--nproc-per-node", "2"), script, tmp_path / "torchrun", 1, 4)

    reports = {name: json.loads((tmp_path / name / "report.json").read_text()) for name in ("one", "two", "torchrun")}
    assert {report["pictures"] for report in reports.values()} == {5}
    assert len({(report["pixels"], report["ignored_pixels"]) for report in reports.values()}) == 1
    rows = {tuple(map(sum, report["counts"])) for report in reports.values()}
    assert len(rows) == 1, "labelled pixels of each class"
    one, two, other = (read_weights(tmp_path / name / "last.safetensors").state for name in reports)
    torch.testing.assert_close(two, one, rtol=0, atol=1e-4)
    assert [name for name in two if not torch.equal(two[name], other[name])] == []
    for name in ("one", "two", "torchrun"):
        with (tmp_path / name / "metrics.csv").open() as file:
            assert [row["step"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_processes_stop_together(script, tmp_path):
    command = [sys.executable, script, tmp_path / "run", "2", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        metrics = tmp_path / "run" / "metrics.csv"
        deadline = time.monotonic() + 200
        while not (metrics.exists() and metrics.read_text().count("\n") > 1) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "everything is saved in" in said
    assert len([*(tmp_path / "run" / "state").glob("*.pt")]) == 1
