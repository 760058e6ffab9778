import os
import signal

import numpy as np
import pytest
import torch

from attseg.checkpoint import read_weights
from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.feeding.balance import class_balanced, count_labels
from attseg.data.sample import Sample
from attseg.recipes.recipe import LossSpec, Machine
from attseg.training import run as run_module
from attseg.training.class_weights import median_frequency
from attseg.training.errors import Interrupted
from attseg.training.folder import RunFolder
from attseg.training.from_labels import from_labels
from attseg.training.history import History
from attseg.training.run import train

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
    return from_labels(recipe, data, folder, writes=writes, say=said.append), said


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
    holding = (counts[:, :3] > 0).astype(int).T @ counts.sum(1)
    assert found.class_weights.tolist() == median_frequency(counts[:, :3].sum(0), holding).tolist()
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


def test_a_balanced_run_with_a_cache_goes_on_to_the_same_weights(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "draw_pictures", lambda *_: None)
    recipe = tiny(**BOTH)
    plain, cached = (Machine(device="cpu", workers=0, save_every=2, cache=cache) for cache in (0.0, 0.01))
    train(recipe, plain, out=tmp_path / "straight")
    add = History.add

    def add_and_stop(history, step, **values):
        if step == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        add(history, step, **values)

    with monkeypatch.context() as patch:
        patch.setattr(History, "add", add_and_stop)
        with pytest.raises(Interrupted):
            train(recipe, cached, out=tmp_path / "stopped")
    with monkeypatch.context() as patch:
        patch.setattr("attseg.training.from_labels.count_labels", lambda data: pytest.fail("read again"))
        train(recipe, cached, out=tmp_path / "stopped", resume=True)
    one, other, shuffled = (tmp_path / name / "last.safetensors" for name in ("straight", "stopped", "shuffled"))
    expected, found = read_weights(one).state, read_weights(other).state
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []

    train(tiny(loss=BOTH["loss"]), cached, out=tmp_path / "shuffled")
    different = read_weights(shuffled).state
    assert any(not torch.equal(different[name], expected[name]) for name in expected)
