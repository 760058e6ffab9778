"""A small data folder that is in order, for tests to damage."""

import numpy as np
import pytest
from PIL import Image

CLASSES = "index,name,r,g,b,ignore\n0,water,0,0,255,\n1,land,0,255,0,\n2,boat,255,0,0,\n9,unlabelled,0,0,0,1\n"


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path)


def write_pair(images, labels, name, seed, values=(0, 1, 2, 9)):
    """A picture of 12 x 8 pixels, and labels of it that hold all ``values``."""
    rng = np.random.default_rng(seed)
    save(images / f"{name}.png", rng.integers(0, 256, (8, 12, 3)))
    save(labels / f"{name}.png", np.resize(values, (8, 12)))


@pytest.fixture
def folder(tmp_path):
    """Three pictures to train, two to validate, in the layout of ``Folder``."""
    root = tmp_path / "mine"
    for seed, name in enumerate(("train/a", "train/b", "train/paris/c", "val/d", "val/e")):
        write_pair(root / "images", root / "labels", name, seed)
    (root / "classes.csv").write_text(CLASSES)
    return root
