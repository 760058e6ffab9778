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
from attseg.data.sets.scenes import SCENES
from attseg.errors import UsageError
from attseg.losses import LossSpec
from attseg.runs.errors import Interrupted
from attseg.runs.folder import RunFolder
from attseg.runs.labels import label_statistics
from attseg.training.run import train
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


def test_classes_in_a_single_image_are_named(tiny, folder):
    data = Labels()
    for labels in data.labels[1:]:
        labels[labels == 2] = 0
    _, said = find(tiny(**BOTH), data, folder)
    assert "c in 1" in said[1] and "b in" not in said[1]


@pytest.mark.parametrize("name", BOTH)
def test_either_is_found_alone(tiny, folder, name):
    found, _ = find(tiny(**{name: BOTH[name]}), Labels(), folder)
    assert (found.class_weights is None) == (name == "sampling")
    assert (found.chances is None) == (name == "loss")


def test_own_factors_multiply_those_of_the_counts_or_stand_alone(tiny, folder):
    own = tiny(loss=LossSpec(weights={"c": 4.0}))
    data = Labels()
    found, said = find(own, data, folder)
    assert (found.class_weights.tolist(), data.reads, said) == ([1.0, 1.0, 4.0], 0, [])
    both = tiny(loss=LossSpec(weights={"c": 4.0}, class_weights="median-frequency"))
    found, _ = find(both, Labels(), folder)
    assert found.class_weights.tolist() == (median_frequency(count_labels(data)) * [1.0, 1.0, 4.0]).tolist()
    again, said = find(both, Labels(), folder)
    assert (again.class_weights.tolist(), said) == (found.class_weights.tolist(), [])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"skyy": 2.0}, "there is no class 'skyy'; did you mean 'sky'"),
        ({"sky": -1.0}, "loss.weights.sky is -1.0; a factor of at least 0 was expected"),
        (dict.fromkeys(SCENES.names, 0.0), "loss.weights gives every class the factor 0"),
    ],
)
def test_factors_that_cannot_be_are_refused_before_anything_is_written(tiny, tmp_path, weights, message):
    with pytest.raises(UsageError, match=message):
        train(tiny(loss=LossSpec(weights=weights)), HERE, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_class_of_factor_0_is_not_learned_and_a_run_goes_on_with_its_factors(tiny, tmp_path):
    recipe = tiny(loss=LossSpec(weights={"sky": 0.0, "road": 3.0}))
    straight = weights(train(recipe, HERE, out=tmp_path / "run"))
    plain = weights(train(tiny(), HERE, out=tmp_path / "plain"))
    assert not torch.equal(straight["head.weight"], plain["head.weight"])
    (tmp_path / "run" / "state" / "00000006.pt").unlink()
    again = weights(train(recipe, HERE, out=tmp_path / "run", resume=True))
    assert [name for name in straight if not torch.equal(again[name], straight[name])] == []


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
