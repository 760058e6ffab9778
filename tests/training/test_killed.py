"""A process that is really killed, again and again, must end with the weights of one that was left in peace."""

import signal
import subprocess
import sys

import pytest
import torch

from attseg.checkpoint import read_weights
from attseg.recipes.files import to_yaml
from attseg.recipes.recipe import LossSpec, Machine
from attseg.training.run import train

RUN = """
import os, signal, sys
from pathlib import Path

import torch

from attseg.recipes.files import read_recipe
from attseg.training import recorder
from attseg.training.run import train


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    file, out, how, at, resume = sys.argv[1:]
    torch.set_num_threads(1)
    on_train_batch_end, fsync = recorder.Recorder.on_train_batch_end, os.fsync

    def after_step(self, trainer, task, *rest):
        if task.start + trainer.global_step == int(at):
            if how == "step":
                die()
            recorder.save_state = lambda *state: (setattr(os, "fsync", die), save_state(*state))
        on_train_batch_end(self, trainer, task, *rest)

    save_state = recorder.save_state
    recorder.Recorder.on_train_batch_end = after_step
    train(*read_recipe(file), out=Path(out), resume=resume == "resume")
"""


@pytest.mark.soak  # in short, and at any moment: tests/reliability/test_training_faults.py
@pytest.mark.timeout(600)
def test_a_run_killed_twice_ends_with_the_weights_of_one_that_was_not(tiny, tmp_path):
    recipe = tiny(steps=9, val_every=3, ema=0.9, loss=LossSpec(class_weights="median-frequency"))
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    train(recipe, Machine(device="cpu", workers=0, save_every=2), out=straight)

    script = tmp_path / "run.py"
    script.write_text(RUN)
    for number, (how, at, workers, mode) in enumerate([("step", 5, 2, "new"), ("writing", 8, 1, "resume")]):
        file = tmp_path / f"{number}.yaml"
        file.write_text(to_yaml(recipe, Machine(device="cpu", workers=workers, save_every=2)))
        command = [sys.executable, script, file, killed, how, str(at), mode]
        assert subprocess.run(command, timeout=240).returncode == -signal.SIGKILL
    assert [path.name for path in sorted(killed.glob("state/*.pt"))] == ["00000004.pt", "00000006.pt"]
    assert len([*killed.glob("state/.*.part")]) == 1
    train(recipe, Machine(device="cpu", workers=0, save_every=2), out=killed, resume=True)

    assert not [*killed.glob("state/.*.part")]
    for name in ("best.safetensors", "last.safetensors"):
        expected, found = read_weights(straight / name).state, read_weights(killed / name).state
        assert [key for key in expected if not torch.equal(found[key], expected[key])] == []
        assert expected.keys() == found.keys()
    steps = [line.split(",")[0] for line in (killed / "metrics.csv").read_text().splitlines()]
    assert steps == ["step", *map(str, range(1, 10))]
