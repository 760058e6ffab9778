import io
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from attseg.checkpoint import read_weights
from attseg.data.catalog import open_data
from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.feeding.balance import class_balanced, count_labels, median_frequency
from attseg.data.sample import Sample
from attseg.losses import LossSpec
from attseg.runs.errors import Interrupted
from attseg.runs.folder import RunFolder
from attseg.training.labels import label_statistics
from fitting import HERE, Watched, fit_into

BOTH = {"loss": LossSpec(class_weights="median-frequency"), "sampling": "class-balanced"}


class Labels:
    """Five pictures of noise, and how often they were read."""

    split = "train"
    classes = ClassTable(tuple("abc"), distinct_colors(3))

    def __init__(self):
        self.reads = 0
        rng = np.random.default_rng(0)
        self.labels = [rng.choice([0, 0, 0, 1, 2, 255], (9, 7)).astype(np.uint8) for _ in range(5)]

    def __len__(self):
        return 5

    def __getitem__(self, index):
        self.reads += 1
        return Sample(np.zeros((9, 7, 3), np.uint8), self.labels[index], self.name(index))

    def name(self, index):
        return str(index)


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def find(recipe, data, folder, *, writes=True):
    said = []
    return label_statistics(recipe, data, folder, writes=writes, say=said.append), said


def test_nothing_is_read_where_nothing_is_wanted(tiny, folder):
    data = Labels()
    found, said = find(tiny(), data, folder)
    assert (found.class_weights, found.chances, data.reads, said) == (None, None, 0, [])
    assert not folder.path.exists()


def test_one_scan_serves_both_and_a_later_part_of_the_run_needs_none(tiny, folder):
    data = Labels()
    found, said = find(tiny(**BOTH), data, folder)
    assert data.reads == 5
    assert said == ["counting the pixels of each class in 5 label files"]
    counts = count_labels(data)
    assert found.class_weights.tolist() == median_frequency(counts).tolist()
    assert found.chances.tolist() == class_balanced(counts).tolist()

    data = Labels()
    again, said = find(tiny(**BOTH), data, folder)
    assert (data.reads, said) == (0, [])
    assert again.class_weights.tobytes() == found.class_weights.tobytes()
    assert again.chances.tobytes() == found.chances.tobytes()


@pytest.mark.parametrize("name", BOTH)
def test_either_is_found_alone(tiny, folder, name):
    found, _ = find(tiny(**{name: BOTH[name]}), Labels(), folder)
    assert (found.class_weights is None) == (name == "sampling")
    assert (found.chances is None) == (name == "loss")


def test_only_the_process_that_writes_writes(tiny, folder):
    data = Labels()
    find(tiny(**BOTH), data, folder, writes=False)
    assert data.reads == 5 and not folder.path.exists()


@pytest.mark.slow
def test_a_balanced_run_with_a_cache_goes_on_to_the_same_weights(tiny, tmp_path):
    recipe, cached = tiny(**BOTH), replace(HERE, cache=0.01)
    straight = weights(fit_into(tmp_path / "straight", recipe))
    scenes = open_data("scenes", "train", **recipe.data.options)
    stop = Watched(
        scenes, at=8, act=lambda: os.kill(os.getpid(), signal.SIGTERM)
    )  # five samples are read to count labels
    said = [io.StringIO(), io.StringIO()]
    with pytest.raises(Interrupted):
        fit_into(tmp_path / "stopped", recipe, cached, data=stop, said=said[0])
    found = weights(fit_into(tmp_path / "stopped", recipe, cached, said=said[1]))
    assert ["counting the pixels" in text.getvalue() for text in said] == [True, False]
    assert [name for name in straight if not torch.equal(found[name], straight[name])] == []

    different = weights(fit_into(tmp_path / "shuffled", tiny(loss=BOTH["loss"]), cached))
    assert any(not torch.equal(different[name], straight[name]) for name in straight)


def weights(folder):
    return read_weights(folder / "last.safetensors").state
