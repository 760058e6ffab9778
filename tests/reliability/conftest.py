import numpy as np
import pytest
from PIL import Image

from attseg.losses import LossSpec
from attseg.recipes.files import to_yaml
from attseg.recipes.recipe import DataSpec, Machine, ModelSpec, OptimSpec, Recipe
from reliability import breaking


@pytest.fixture(scope="module")
def nursery(tmp_path_factory):
    with breaking.nursery(tmp_path_factory.mktemp("nursery")) as children:
        yield children


@pytest.fixture
def pictures(tmp_path):
    """A data folder, of five pictures a split."""
    return breaking.write_pictures(tmp_path / "pictures")


@pytest.fixture
def tiny(pictures):
    """A recipe on these pictures that trains in seconds and uses what could go wrong, with what is given changed."""

    def recipe(**changes):
        defaults = {
            "name": "tiny",
            "model": ModelSpec(name="PAN", args={"encoder": "test_resnet", "channels": 8}),
            "data": DataSpec(name="folder", root=str(pictures)),
            "loss": LossSpec(class_weights="median-frequency"),
            "optim": OptimSpec(warmup=2),
            "sampling": "class-balanced",
            "ema": 0.9,
            "crop_size": (64, 64),
            "batch_size": 2,
            "steps": 6,
            "val_every": 2,
        }
        return Recipe(**defaults | changes)

    return recipe


@pytest.fixture
def yaml(tmp_path, tiny):
    """A file with the tiny recipe, for the command line."""

    def write(*, machine=None, **changes):
        file = tmp_path / "tiny.yaml"
        machine = {"device": "cpu", "workers": 0, "save_every": 2} | (machine or {})
        file.write_text(to_yaml(tiny(**changes), Machine(**machine)))
        return file

    return write


@pytest.fixture
def mine(tmp_path):
    """A data folder with two pictures a split."""
    root = tmp_path / "mine"
    for split in ("train", "val"):
        for number in range(2):
            write_pair(root, split, f"{split}{number}", number)
    (root / "classes.csv").write_text("index,name\n0,sea\n1,land\n")
    return root


def write_pair(root, split, name, seed):
    rng = np.random.default_rng([seed, *name.encode()])
    for folder, values in (("images", rng.integers(0, 256, (8, 9, 3))), ("labels", rng.integers(0, 2, (8, 9)))):
        (root / folder / split).mkdir(parents=True, exist_ok=True)
        Image.fromarray(values.astype(np.uint8)).save(root / folder / split / f"{name}.png")
