from dataclasses import replace

import pytest
import torch

from attseg.errors import UsageError
from attseg.recipes.recipe import Machine, OptimSpec
from attseg.training.plan import make_plan


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_a_batch_is_shared_out_over_processes_and_parts(tiny):
    plan = make_plan(tiny(batch_size=24), Machine(devices=2, accumulate=3))
    assert (plan.batch_size, plan.world, plan.device, plan.rank) == (4, 2, "cpu", 0)


def test_a_batch_that_cannot_be_shared_out_is_refused(tiny):
    with pytest.raises(
        UsageError, match=r"a batch of 4 cannot be cut into 6 equal parts \(2 processes, accumulate 3\)"
    ):
        make_plan(tiny(), Machine(devices=2, accumulate=3))


def test_under_torchrun_its_numbers_count(tiny, monkeypatch):
    for name, value in {
        "TORCHELASTIC_RUN_ID": "x",
        "WORLD_SIZE": "4",
        "LOCAL_WORLD_SIZE": "2",
        "RANK": "3",
        "LOCAL_RANK": "1",
    }.items():
        monkeypatch.setenv(name, value)
    plan = make_plan(tiny(), Machine())
    assert (plan.devices, plan.nodes, plan.world, plan.rank, plan.batch_size) == (2, 2, 4, 3, 1)


def test_workers_are_taken_as_given_or_chosen_by_what_they_would_cost(tiny, monkeypatch):
    assert make_plan(tiny(), Machine(workers=3)).workers == 3
    assert make_plan(tiny(), Machine()).workers == 0
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr("os.cpu_count", lambda: 12)
    assert make_plan(tiny(), Machine(devices=2)).workers == 6
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert make_plan(tiny(), Machine(devices=2)).workers == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": -1}, "steps is -1; at least 0 was expected"),
        ({"minutes": -1.0}, "minutes is -1.0; at least 0 was expected"),
        ({"patience": -1}, "patience is -1; at least 0 was expected"),
        ({"batch_size": 0}, "batch_size is 0; at least 1 was expected"),
        ({"ema": 1.0}, r"ema is 1.0; 0 \(no average\) or a decay below 1"),
        ({"optim": OptimSpec(layer_decay=1.5)}, "optim.layer_decay is 1.5; a factor above 0 and up to 1"),
        ({"optim": OptimSpec(lr=-1.0)}, "optim.lr is -1.0; at least 0 was expected"),
        ({"optim": OptimSpec(lr=float("nan"))}, "optim.lr is nan; at least 0 was expected"),
        ({"seed": -1}, "seed is -1; at least 0 was expected"),
    ],
)
def test_numbers_out_of_range_are_refused(tiny, changes, message):
    with pytest.raises(UsageError, match=message):
        make_plan(replace(tiny(), **changes), Machine())


@pytest.mark.parametrize(
    ("machine", "message"),
    [
        (Machine(device="cuda"), "the device is cuda, but PyTorch finds no GPU here"),
        (Machine(precision="fp16"), "precision is fp16, which needs a GPU of CUDA; choose bf16 or 32"),
        (Machine(nodes=2), "nodes is 2; start one process a device on each computer with torchrun"),
        (Machine(workers=-2), "workers is -2; at least -1 was expected"),
        (Machine(accumulate=0), "accumulate is 0; at least 1 was expected"),
    ],
)
def test_machines_that_cannot_be_are_refused(tiny, machine, message):
    with pytest.raises(UsageError, match=message):
        make_plan(tiny(), machine)


def test_more_devices_than_there_are_gpus_are_refused(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match="2 devices were asked for, but there are 1 GPUs here"):
        make_plan(tiny(), Machine(devices=2))


def test_a_named_gpu_is_one_of_several(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    plan = make_plan(tiny(), Machine(device="cuda:1"))
    assert (plan.device, plan.index, plan.devices) == ("cuda", 1, 1)
    assert make_plan(tiny(), Machine(device="cuda")).index is None
    with pytest.raises(UsageError, match="device is cuda:1, which is one GPU, and 2 processes were asked for"):
        make_plan(tiny(), Machine(device="cuda:1", devices=2))
