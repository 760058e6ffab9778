"""What is equal between one process and two: the samples and the steps; batch statistics are those of each process."""

import json
import os
import subprocess
import sys

import pytest

from attseg.checkpoint import read_weights

RUN = """
import sys
from pathlib import Path

import torch
from torch import nn

from attseg.models import MODELS, Segmentation
from attseg.recipes.recipe import AugmentSpec, DataSpec, Machine, ModelSpec, OptimSpec, Recipe
from attseg.training.run import train

NORMS = {"group": lambda: nn.GroupNorm(2, 8), "batch": lambda: nn.BatchNorm2d(8)}


class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        norm = NORMS[sys.argv[2]]
        self.encoder = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), norm(), nn.ReLU())
        self.head = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), norm(), nn.ReLU(), nn.Conv2d(8, num_classes, 1))

    def forward(self, images):
        logits = self.head(self.encoder(images))
        return Segmentation(nn.functional.interpolate(logits, images.shape[-2:], mode="bilinear"), {})


if __name__ == "__main__":
    torch.set_num_threads(1)
    MODELS["FCN"] = Net
    recipe = Recipe(
        name="tiny", model=ModelSpec(name="FCN"), data=DataSpec(options={"size": (64, 64), "count": 12}),
        augment=AugmentSpec(scale=(1.0, 1.0)), crop_size=(64, 64), batch_size=4, steps=6, val_every=6,
        optim=OptimSpec(lr=0.05),
    )
    train(recipe, Machine(device="cpu", workers=0, timeout=120), out=Path(sys.argv[1]))
"""


def trained(script, out, norm, world):
    """The last weights, and the report, of a run by so many processes."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(world)] if world > 1 else []
    command = [sys.executable, *launcher, str(script), str(out), norm]
    subprocess.run(command, check=True, timeout=240, env=os.environ | {"OMP_NUM_THREADS": "1"})
    return read_weights(out / "last.safetensors").state, json.loads((out / "report.json").read_text())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_take_the_steps_of_one_but_for_batch_statistics(tmp_path):
    script, apart = tmp_path / "run.py", {}
    script.write_text(RUN)
    for norm in ("group", "batch"):
        (one, report), (two, other) = (trained(script, tmp_path / f"{norm}-{world}", norm, world) for world in (1, 2))
        assert [report[key] for key in ("pixels", "ignored_pixels")] == [
            other[key] for key in ("pixels", "ignored_pixels")
        ]
        apart[norm] = max((one[name] - two[name]).abs().max().item() for name in one if one[name].is_floating_point())
    assert apart["group"] < 5e-4  # ignored pixels: each process averages over its own
    assert apart["batch"] > 10 * apart["group"]
