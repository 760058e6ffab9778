"""Small data folders that are in order, for tests to damage."""

import numpy as np
import pytest

import layouts

CLASSES = "index,name,r,g,b,ignore\n0,water,0,0,255,\n1,land,0,255,0,\n2,boat,255,0,0,\n9,unlabelled,0,0,0,1\n"


def write_pair(images, labels, name, seed, values=(0, 1, 2, 9)):
    """A picture of 12 x 8 pixels, and labels of it that hold all ``values``."""
    rng = np.random.default_rng(seed)
    layouts.save(images / f"{name}.png", rng.integers(0, 256, (8, 12, 3)))
    layouts.save(labels / f"{name}.png", np.resize(values, (8, 12)))


@pytest.fixture
def folder(tmp_path):
    """Three pictures to train, two to validate, in the layout of ``Folder``."""
    root = tmp_path / "mine"
    for seed, name in enumerate(("train/a", "train/b", "train/paris/c", "val/d", "val/e")):
        write_pair(root / "images", root / "labels", name, seed)
    (root / "classes.csv").write_text(CLASSES)
    return root


@pytest.fixture
def voc(tmp_path):
    """PASCAL VOC 2012 with two pictures to train, two to validate, and one to test."""
    layouts.make_voc(tmp_path / "voc")
    return tmp_path / "voc"


@pytest.fixture
def sbd(tmp_path):
    """SBD with two pictures in each split; one of them is in VOC's train, one in VOC's val."""
    layouts.make_sbd(tmp_path / "more")
    return tmp_path / "more"


@pytest.fixture
def ade20k(tmp_path):
    """ADE20K with two pictures to train, one to validate, one to test."""
    layouts.make_ade20k(tmp_path / "ade")
    return tmp_path / "ade"


@pytest.fixture
def cityscapes(tmp_path):
    """Cityscapes with two pictures to train, and one in each other split."""
    layouts.make_cityscapes(tmp_path / "cityscapes")
    return tmp_path / "cityscapes"
