"""A process of several that fails must end the others soon, rather than leave them waiting for it."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest
import torch

from attseg.checkpoint import read_weights
from attseg.training.errors import RunError
from attseg.training.run import _fit

RUN = """
import os, signal, sys, time
from pathlib import Path

import torch
from torch import nn

from attseg.models import Segmentation
from attseg.recipes.recipe import AugmentSpec, DataSpec, Machine, Recipe
from attseg.training import first_weights, recorder, run
from attseg.training.errors import RunError


class Pixelwise(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.encoder = nn.Conv2d(3, 8, 1)
        self.head = nn.Conv2d(8, num_classes, 1)

    def forward(self, images):
        return Segmentation(self.head(self.encoder(images).relu()), {})


if __name__ == "__main__":
    out, devices, how, who, resume, timeout = sys.argv[1:]
    out = Path(out)
    torch.set_num_threads(1)
    first_weights.build_model = lambda name, args, num_classes: Pixelwise(num_classes)
    run.draw_pictures = lambda *_: None
    on_train_batch_end = recorder.Recorder.on_train_batch_end

    def fail_after_step_5(self, trainer, task, *rest):
        on_train_batch_end(self, trainer, task, *rest)
        if how != "none" and trainer.global_step == 5 and trainer.global_rank == int(who):
            (out / "failed").write_text(str(time.time()))
            if how in ("kill", "stop"):
                os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGSTOP)
            raise ZeroDivisionError("a bug")

    recorder.Recorder.on_train_batch_end = fail_after_step_5
    recipe = Recipe(
        name="tiny",
        data=DataSpec(options={"size": (64, 64), "count": 5}),
        augment=AugmentSpec(scale=(1.0, 1.0)),
        crop_size=(64, 64),
        batch_size=4,
        steps=8,
    )
    machine = Machine(device="cpu", workers=0, devices=int(devices), save_every=2, timeout=int(timeout))
    try:
        run.train(recipe, machine, out=out, resume=resume == "resume")
    except RunError as error:
        print(error, flush=True)
        sys.exit(1)
"""

SOON = 60
"""Seconds."""


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("torchrun", "how", "who"),
    [
        (False, "kill", 0),
        pytest.param(False, "kill", 1, marks=pytest.mark.soak),
        (False, "stop", 1),
        pytest.param(True, "kill", 1, marks=pytest.mark.soak),
        (True, "stop", 1),
        (True, "raise", 1),
    ],
)
def test_the_others_end_within_a_minute_and_the_run_goes_on(tmp_path, torchrun, how, who):
    script, out = tmp_path / "run.py", tmp_path / "run"
    script.write_text(RUN)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2") if torchrun else ()
    arguments = [str(script), str(out), "1" if torchrun else "2", how, str(who)]
    timeout = "120" if how != "stop" else "15" if torchrun else "40"  # torchrun waits another 30 s before it kills
    quiet = os.environ | {"OMP_NUM_THREADS": "1"}
    with (tmp_path / "said").open("w") as said:
        process = psutil.Popen(
            [sys.executable, *launcher, *arguments, "new", timeout], stdout=said, stderr=subprocess.STDOUT, env=quiet
        )
        others = set()
        while not (out / "failed").exists() and process.poll() is None:
            others |= set(process.children(recursive=True))
            time.sleep(0.02)
        began = time.monotonic()
        _, alive = psutil.wait_procs([process, *others], timeout=90 if how == "stop" else SOON)
        print(f"all had ended {time.monotonic() - began:.1f} s after one had met its {how}")
        for left in alive:
            left.kill()
    said = (tmp_path / "said").read_text()
    assert len(others) >= (2 if torchrun else 1), said
    assert not alive, said
    assert process.returncode != 0
    assert (out / "failed").exists(), said
    if how == "stop" or (
        not torchrun and (how, who) == ("kill", 0)
    ):  # where 1 fails, what watches over 0 may be faster than its words
        assert f"process {1 - who} of 2 has lost another one, which ended or did not answer in time" in said
    if how != "raise":
        return
    assert "ZeroDivisionError: a bug" in said
    done = [sys.executable, *arguments[:2], "1", "none", "0", "resume", timeout]
    subprocess.run(done, check=True, timeout=200, env=quiet)
    assert read_weights(out / "last.safetensors").info["step"] == 8
    steps = [line.split(",")[0] for line in (out / "metrics.csv").read_text().splitlines()]
    assert steps == ["step", *map(str, range(1, 9))]


class Trainer:
    strategy = SimpleNamespace(launcher=None)

    def __init__(self, error):
        self.error = error

    def fit(self, task):
        raise self.error


@pytest.mark.parametrize(
    ("error", "world", "translated"),
    [
        (RuntimeError("[gloo/transport/tcp/pair.cc:561] Connection closed by peer"), 2, True),
        (RuntimeError("Application timeout caused pair closure"), 2, True),
        (torch.distributed.DistBackendError("NCCL communicator was aborted"), 2, True),
        (RuntimeError("[gloo/transport/tcp/pair.cc:561] Connection closed by peer"), 1, False),
        (RuntimeError("a bug"), 2, False),
    ],
)
def test_the_loss_of_another_process_is_told_in_words(error, world, translated):
    task = SimpleNamespace(plan=SimpleNamespace(rank=1, world=world))
    with pytest.raises(RuntimeError) as raised:
        _fit(Trainer(error), task)
    assert isinstance(raised.value, RunError) == translated
    if translated:
        assert str(raised.value).startswith("process 1 of 2 has lost another one")
        assert raised.value.__cause__ is error
    else:
        assert raised.value is error
