import numpy as np
import pytest

from attseg.data.catalog import open_data
from attseg.data.feeding.balance import count_labels
from attseg.training.class_weights import class_weights, read_class_weights, write_class_weights


@pytest.fixture
def counts():
    """Pixels of four classes in six pictures, and those that are ignored; one class never occurs, one picture has none."""
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
    assert class_weights("median-frequency", counts).tolist() == pytest.approx(expected)
    assert class_weights("sqrt-median-frequency", counts).tolist() == pytest.approx(np.sqrt(expected))
    assert class_weights("none", counts).tolist() == [1.0] * 4


def test_files_bring_the_same_bits_back(tmp_path, counts):
    weights = class_weights("sqrt-median-frequency", counts)
    write_class_weights(tmp_path / "weights.json", ("sky", "road", "car", "tree"), weights)
    assert read_class_weights(tmp_path / "weights.json").tobytes() == weights.tobytes()


@pytest.mark.data
def test_camvid_weights_are_those_of_the_peer(camvid_root):
    expected = [0.2793, 0.2017, 4.7865, 0.1490, 1.0, 0.4217, 3.8467, 1.9736, 0.7889, 6.3747, 8.8587]
    weights = class_weights("median-frequency", count_labels(open_data("camvid", "train", root=camvid_root)))
    assert weights.tolist() == pytest.approx(expected, rel=5e-4)
