"""A process of several that fails must end the others soon, rather than leave them waiting for it."""

import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest
import torch

from attseg.checkpoint import read_weights
from attseg.runs.errors import RunError
from attseg.training.engine import reporting_lost_processes
from fitting import environment

SOON = 60
"""Seconds."""

RUN = """
import os, signal, sys, time
from pathlib import Path

import torch

from attseg.recipes.recipe import AugmentSpec, DataSpec, Machine, Recipe
from attseg.runs.errors import RunError
from fitting import Pixelwise, fit_into


class Failing(Pixelwise):  # in its sixth step of training
    passes = 0

    def forward(self, images):
        self.passes += self.training
        if self.passes == 6 and how != "none" and int(os.environ.get("LOCAL_RANK", 0)) == int(who):
            (out / "failed").write_text(str(time.time()))
            if how in ("kill", "stop"):
                os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGSTOP)
            raise ZeroDivisionError("a bug")
        return super().forward(images)


if __name__ == "__main__":
    out, devices, how, who, timeout = sys.argv[1:]
    out = Path(out)
    torch.set_num_threads(1)
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
        fit_into(out, recipe, machine, model=Failing)
    except RunError as error:
        print(error, flush=True)
        sys.exit(1)
"""


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
    quiet = environment()
    with (tmp_path / "said").open("w") as said:
        process = psutil.Popen(
            [sys.executable, *launcher, *arguments, timeout], stdout=said, stderr=subprocess.STDOUT, env=quiet
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
    done = [sys.executable, *arguments[:2], "1", "none", "0", timeout]
    subprocess.run(done, check=True, timeout=200, env=quiet)
    assert read_weights(out / "last.safetensors").info["step"] == 8
    steps = [line.split(",")[0] for line in (out / "metrics.csv").read_text().splitlines()]
    assert steps == ["step", *map(str, range(1, 9))]


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
    with pytest.raises(RuntimeError) as raised, reporting_lost_processes(SimpleNamespace(rank=1, world=world)):
        raise error
    assert isinstance(raised.value, RunError) == translated
    if translated:
        assert str(raised.value).startswith("process 1 of 2 has lost another one")
        assert raised.value.__cause__ is error
    else:
        assert raised.value is error
