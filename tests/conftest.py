"""What the tests share: real pictures where they are at hand, and one thread, so that workers do not fight over cores."""

import os
import signal
from pathlib import Path

import pytest
import torch

from attseg.recipes.recipe import DataSpec, ModelSpec, Recipe

torch.set_num_threads(1)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs deaf to Ctrl-C, and so are all whom they start; tests that send it would fail.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def data_root() -> Path:
    """Where real pictures lie: ``ATTSEG_DATA``, or ``shared/data`` beside the checkout."""
    return Path(os.environ.get("ATTSEG_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def camvid_root() -> Path:
    """The folder of CamVid; skips where there is none."""
    root = data_root() / "camvid"
    if not root.is_dir():
        pytest.skip(f"no CamVid at {root}: set ATTSEG_DATA to a folder that holds camvid/")
    return root


@pytest.fixture(scope="session")
def samples_root() -> Path:
    """The folder of a few real pictures of each public data set; skips where there is none."""
    root = data_root() / "samples"
    if not root.is_dir():
        pytest.skip(f"no samples at {root}: set ATTSEG_DATA to a folder that holds samples/")
    return root


@pytest.fixture(scope="session")
def tiny():
    """A recipe that trains in a second, with what is given changed."""

    def recipe(**changes):
        defaults = {
            "name": "tiny",
            "model": ModelSpec(name="PAN", args={"encoder": "test_resnet", "channels": 8}),
            "data": DataSpec(options={"size": (64, 64), "count": 5}),
            "crop_size": (64, 64),
            "batch_size": 4,
            "steps": 6,
            "val_every": 2,
        }
        return Recipe(**defaults | changes)

    return recipe
