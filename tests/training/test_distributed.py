"""Two processes over gloo on the CPU, started by Lightning and by torchrun, against one process."""

import csv
import json
import signal
import subprocess
import sys
import time

import pytest
import torch

from attseg.checkpoint import read_weights
from fitting import environment

RUN = """
import sys, warnings
from pathlib import Path

warnings.simplefilter("error")

import torch

from attseg.losses import LossSpec
from attseg.recipes.recipe import AugmentSpec, DataSpec, Machine, Recipe
from attseg.runs.errors import RunError
from fitting import Pixelwise, fit_into


if __name__ == "__main__":
    out, devices, steps, accumulate = sys.argv[1:]
    torch.set_num_threads(1)
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
    machine = Machine(device="cpu", workers=0, devices=int(devices), timeout=120, accumulate=int(accumulate))
    try:
        fit_into(Path(out), recipe, machine, model=Pixelwise)
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
    subprocess.run([str(word) for word in command], check=True, timeout=240, env=environment())


def torchrun(*arguments):
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", *arguments]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_train_and_count_as_one_does(script, tmp_path):
    run(sys.executable, script, tmp_path / "one", 1, 4, 1)
    run(sys.executable, script, tmp_path / "two", 2, 4, 1)
    run(*torchrun("--nproc-per-node", "2"), script, tmp_path / "torchrun", 1, 4, 1)
    run(sys.executable, script, tmp_path / "four parts", 1, 4, 4)
    run(sys.executable, script, tmp_path / "two of two parts", 2, 4, 2)

    reports = {name: json.loads((tmp_path / name / "report.json").read_text()) for name in ("one", "two", "torchrun")}
    assert {report["pictures"] for report in reports.values()} == {5}
    assert len({(report["pixels"], report["ignored_pixels"]) for report in reports.values()}) == 1
    rows = {tuple(map(sum, report["counts"])) for report in reports.values()}
    assert len(rows) == 1, "labelled pixels of each class"
    one, two, other = (read_weights(tmp_path / name / "last.safetensors").state for name in reports)
    torch.testing.assert_close(two, one, rtol=0, atol=1e-4)
    parts = [read_weights(tmp_path / name / "last.safetensors").state for name in ("four parts", "two of two parts")]
    torch.testing.assert_close(*parts, rtol=0, atol=1e-4)
    assert [name for name in two if not torch.equal(two[name], other[name])] == []
    for name in ("one", "two", "torchrun"):
        with (tmp_path / name / "metrics.csv").open() as file:
            assert [row["step"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_processes_stop_together(script, tmp_path):
    command = [sys.executable, script, tmp_path / "run", "2", "100000", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        metrics = tmp_path / "run" / "metrics.csv"
        deadline = time.monotonic() + 200
        while not (metrics.exists() and metrics.read_text().count("\n") > 1) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "everything is saved in" in said
    assert len([*(tmp_path / "run" / "state").glob("*.pt")]) == 1
