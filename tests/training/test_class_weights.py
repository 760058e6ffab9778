import numpy as np
import pytest

from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.sample import Sample
from attseg.data.sets.camvid import CamVid
from attseg.training.class_weights import class_weights, count_pixels, read_class_weights, write_class_weights


class Labels:
    """A split that has nothing but labels."""

    split = "train"

    def __init__(self, labels, count):
        self.labels = labels
        self.classes = ClassTable(tuple("abcdef"[:count]), distinct_colors(count))

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        labels = self.labels[index]
        return Sample(np.zeros((*labels.shape, 3), np.uint8), labels, self.name(index))

    def name(self, index):
        return str(index)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    labels = [rng.choice([0, 0, 0, 1, 2, 255], (9, 7)).astype(np.uint8) for _ in range(4)]
    labels.append(np.zeros((5, 5), np.uint8))
    labels.append(np.full((5, 5), 255, np.uint8))
    return Labels(labels, 4)


def test_counts_equal_a_loop(data):
    pixels, around = count_pixels(data)
    for index in range(4):
        holding = [labels for labels in data.labels if (labels == index).any()]
        assert pixels[index] == sum((labels == index).sum() for labels in holding)
        assert around[index] == sum(labels.size for labels in holding)


def test_weights_are_the_median_frequency_over_each_frequency(data):
    pixels, around = count_pixels(data)
    frequency = (pixels / np.maximum(around, 1))[:3]
    expected = [*(sorted(frequency)[1] / frequency), 1.0]
    assert class_weights("median-frequency", data).tolist() == pytest.approx(expected)
    assert class_weights("sqrt-median-frequency", data).tolist() == pytest.approx(np.sqrt(expected))
    assert class_weights("none", data) is None


def test_files_bring_the_same_bits_back(tmp_path, data):
    weights = class_weights("sqrt-median-frequency", data)
    write_class_weights(tmp_path / "weights.json", data.classes.names, weights)
    assert read_class_weights(tmp_path / "weights.json").tobytes() == weights.tobytes()


@pytest.mark.data
def test_camvid_weights_are_those_of_the_peer(camvid_root):
    expected = [0.2793, 0.2017, 4.7865, 0.1490, 1.0, 0.4217, 3.8467, 1.9736, 0.7889, 6.3747, 8.8587]
    weights = class_weights("median-frequency", CamVid(camvid_root, "train"))
    assert weights.tolist() == pytest.approx(expected, rel=5e-4)
