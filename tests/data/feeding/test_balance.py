from collections import Counter
from itertools import islice

import numpy as np
import pytest

from attseg.data.catalog import open_data
from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.feeding.balance import class_balanced, count_labels, median_frequency
from attseg.data.feeding.samplers import TrainSampler
from attseg.data.sample import Sample
from attseg.errors import UsageError


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
    """Pictures of different sizes: most hold the classes 0 and 1, two hold 2, one nothing, and none 3."""
    rng = np.random.default_rng(0)
    labels = [rng.choice([0, 0, 0, 1, 255], (9, 7 + index)).astype(np.uint8) for index in range(8)]
    labels[2][:5, :3] = 2
    labels[6][0, 0] = 2
    return Labels([*labels, np.full((5, 5), 255, np.uint8)], 4)


def test_counts_equal_a_loop(data):
    counts = count_labels(data)
    assert counts.shape == (9, 5) and counts.dtype == np.int64
    for labels, row in zip(data.labels, counts, strict=True):
        assert row.tolist() == [(labels == value).sum() for value in (0, 1, 2, 3, 255)]


def test_chances_are_those_of_drawing_a_class_and_then_a_pixel(data):
    rng = np.random.default_rng(1)
    owners = {
        value: np.concatenate([np.full((labels == value).sum(), index) for index, labels in enumerate(data.labels)])
        for value in range(3)
    }
    drawn = Counter(int(rng.choice(owners[rng.integers(3)])) for _ in range(20_000))
    chances = class_balanced(count_labels(data))
    assert chances.sum() == pytest.approx(1)
    assert chances[8] == 0 and drawn[8] == 0
    for index in range(9):
        assert drawn[index] / 20_000 == pytest.approx(chances[index], abs=4 * (chances[index] / 20_000) ** 0.5)


def test_each_class_has_its_share_of_the_draws(data):
    counts = count_labels(data)
    chances = class_balanced(counts)
    share = counts[:, :3] / counts[:, :3].sum(0)  # how much of a class a picture has
    plain, balanced = share.mean(0), chances @ share
    assert balanced[2] > 2 * plain[2]  # the rare one
    assert chances.argmax() == 2


def test_pictures_alike_are_equally_likely():
    assert class_balanced(np.array([[5, 5, 0]] * 4)).tolist() == [0.25] * 4


def test_labels_without_any_class_are_refused():
    with pytest.raises(
        UsageError, match="sampling is class-balanced, but no picture of the training split has a labelled"
    ):
        class_balanced(count_labels(Labels([np.full((4, 4), 255, np.uint8)], 2)))


def test_rare_classes_come_up_more_often_in_what_is_drawn(data):
    chances = class_balanced(count_labels(data))
    batches = islice(TrainSampler(9, batch_size=9, seed=0, chances=chances), 500)
    drawn = Counter(index for batch in batches for index, _ in batch)
    for index, chance in enumerate(chances):
        assert drawn[index] / 4500 == pytest.approx(chance, abs=0.01)


@pytest.fixture
def counts():
    """Pixels of four classes in six images, and those that are ignored; one class never occurs, one image has none."""
    rng = np.random.default_rng(0)
    counts = rng.multinomial(63, [0.4, 0.2, 0.2, 0, 0.2], size=6)
    counts[3, 1] = counts[4, 2] = counts[5, :4] = 0
    return counts


def test_weights_are_the_median_frequency_over_each_frequency(counts):
    frequency = []
    for index in range(3):
        holding = [row for row in counts.tolist() if row[index] > 0]
        frequency.append(sum(row[index] for row in holding) / sum(sum(row) for row in holding))
    expected = [*(sorted(frequency)[1] / np.array(frequency)), 1.0]
    assert median_frequency(counts).tolist() == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.data
def test_camvid_weights_are_those_of_the_peer(camvid_root):
    expected = [0.2793, 0.2017, 4.7865, 0.1490, 1.0, 0.4217, 3.8467, 1.9736, 0.7889, 6.3747, 8.8587]
    weights = median_frequency(count_labels(open_data("camvid", "train", root=camvid_root)))
    assert weights.tolist() == pytest.approx(expected, rel=5e-4)
