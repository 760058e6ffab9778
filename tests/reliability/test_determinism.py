"""The same seed gives the same weights, whatever else is different."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from attseg.checkpoint import read_weights
from attseg.recipes.recipe import Machine
from fitting import fit_into
from reliability.breaking import steps, wait_until


def weights(run, name="last"):
    return read_weights(run / f"{name}.safetensors").state


def differing(one, other):
    return [key for key in one if not torch.equal(one[key], other[key])]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than the machine has cores
def test_any_number_of_workers_gives_the_same_weights(tiny, tmp_path):
    machines = {str(workers): Machine(device="cpu", workers=workers, save_every=3) for workers in (0, 1, 4)}
    machines["cache"] = Machine(device="cpu", workers=2, cache=0.01, save_every=3)
    for name, machine in machines.items():
        fit_into(tmp_path / name, tiny(), machine)
    other = fit_into(tmp_path / "another seed", tiny(seed=1), machines["0"])
    for name in machines:
        for kind in ("best", "last"):
            assert differing(weights(tmp_path / "0", kind), weights(tmp_path / name, kind)) == []
    assert differing(weights(tmp_path / "0"), weights(other))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_working_folder_a_stop_and_the_names_of_folders_change_nothing(nursery, yaml, pictures, tmp_path):
    file = yaml(steps=12, val_every=4)
    straight = nursery.start("train", file, "--out", tmp_path / "straight")
    assert straight.wait() == 0, straight.said

    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    pictures.rename(elsewhere / "data")
    stopped = nursery.start("train", file, "--data.root", "data", "--out", "run", cwd=elsewhere)
    run = elsewhere / "run"
    wait_until(lambda: steps(run) or not stopped.running(), 200, "the first steps")
    stopped.process.send_signal(signal.SIGTERM)
    assert stopped.wait() in (128 + signal.SIGTERM, 0), stopped.said
    (elsewhere / "run").rename(elsewhere / "moved")
    again = nursery.start("train", "--resume", "--out", elsewhere / "moved", cwd=tmp_path)
    assert again.wait() == 0, again.said
    for kind in ("best", "last"):
        assert differing(weights(tmp_path / "straight", kind), weights(elsewhere / "moved", kind)) == []
    reports = [
        json.loads((folder / "report.json").read_text()) for folder in (tmp_path / "straight", elsewhere / "moved")
    ]
    places = [Path(report.pop("root")).name for report in reports]
    assert places == ["pictures", "data"] and reports[0] == reports[1]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.timeout(900)
def test_a_gpu_gives_the_same_bits_again_where_asked_to(tiny, tmp_path):
    machine = Machine(device="cuda", workers=2, deterministic=True, save_every=3)
    for name, workers in (("one", 2), ("two", 4)):
        fit_into(tmp_path / name, tiny(), replace(machine, workers=workers))
    assert differing(weights(tmp_path / "one"), weights(tmp_path / "two")) == []
    assert all(tensor.isfinite().all() for tensor in weights(tmp_path / "one").values())
