"""Regions against SciPy, and what is counted in them against loops over regions."""

import numpy as np
import pytest
from scipy import ndimage

from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.regions import find_regions
from attseg.data.sample import Sample
from attseg.evaluation.sizes import SizeMeter, size_counts
from attseg.metrics import ConfusionMatrix

K = 3


def noise(seed, shape=(24, 31), smooth=1.0, ignored=0.1):
    rng = np.random.default_rng(seed)
    labels = ndimage.gaussian_filter(rng.random((K, *shape)), (0, smooth, smooth)).argmax(0).astype(np.uint8)
    labels[rng.random(shape) < ignored] = 255
    return labels


def spiral(side):
    """One path that winds to the middle: the worst case for joining runs."""
    labels = np.zeros((side, side), np.uint8)
    y, x, down, along = 0, 0, 0, 1
    for length in [side - 1, *(length for step in range(side - 1, 0, -2) for length in (step, step))]:
        for _ in range(length):
            labels[y, x] = 1
            y, x = y + down, x + along
        down, along = along, -down
    labels[y, x] = 1
    return labels


@pytest.mark.parametrize(
    "labels", [noise(0, smooth=0.3), noise(1), noise(2, (1, 9)), noise(3, (9, 1)), spiral(21)], ids=len
)
def test_regions_equal_those_of_scipy(labels):
    regions = find_regions(labels)
    total = 0
    for value in np.unique(labels):
        expected, count = ndimage.label(labels == value, np.ones((3, 3)))
        total += count
        for number in range(1, count + 1):
            ids = np.unique(regions.ids[expected == number])
            assert len(ids) == 1
            assert regions.areas[ids[0]] == (expected == number).sum()
            assert regions.values[ids[0]] == value
    assert len(regions.areas) == total


def naive_sizes(prediction, labels, bounds):
    counts = np.zeros((len(bounds) + 1, K, 4), np.int64)
    seen = np.where(labels == 255, 255, prediction)
    for k in range(K):
        ours, found = ndimage.label(labels == k, np.ones((3, 3)))
        theirs, guessed = ndimage.label(seen == k, np.ones((3, 3)))
        sizes = [sum((ours == r).sum() >= bound for bound in bounds) for r in range(1, found + 1)]
        for r, size in enumerate(sizes, 1):
            hits = int((seen[ours == r] == k).sum())
            counts[size, k] += (hits, (ours == r).sum() - hits, 0, 1)
        for g in range(1, guessed + 1):
            inside = theirs == g
            common = [int((inside & (ours == r)).sum()) for r in range(1, found + 1)]
            best = max(common, default=0)
            size = sizes[common.index(best)] if best else sum(inside.sum() >= bound for bound in bounds)
            counts[size, k, 2] += (inside & (labels != k)).sum()
    return counts


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_a_loop_over_regions(seed):
    labels, prediction = noise(seed), noise(seed + 1, ignored=0)
    prediction = np.where(np.random.default_rng(seed).random(labels.shape) < 0.8, np.minimum(labels, 2), prediction)
    counts = size_counts(prediction, labels, K, (4, 20))
    assert np.array_equal(counts, naive_sizes(prediction, labels, (4, 20)))


def test_all_sizes_together_are_the_confusion_matrix():
    labels, prediction = noise(5), noise(6, ignored=0)
    confusion = ConfusionMatrix(K)
    confusion.update(prediction, labels)
    hits, misses, false, _ = size_counts(prediction, labels, K).sum(0).T
    counts = confusion.counts.numpy()
    assert np.array_equal(hits, counts.diagonal())
    assert np.array_equal(hits + misses, counts.sum(1))
    assert np.array_equal(hits + false, counts.sum(0))


def test_a_result_by_size():
    labels = np.zeros((40, 40), np.uint8)
    labels[2:6, 2:6] = 1  # 16 pixels, half of which are found
    labels[20:30, 20:30] = 1  # 100 pixels, all found
    prediction = labels.copy()
    prediction[2:4, 2:6] = 0
    meter = SizeMeter(ClassTable(tuple("abc"), distinct_colors(3)), bounds=(50, 500))
    small, medium, large = meter.result(meter.count(Sample(None, labels, "x"), prediction, None))["sizes"]
    assert (small["from"], small["below"], small["regions"], small["miou"]) == (1, 50, 1, 0.5)
    assert (medium["from"], medium["below"], medium["regions"], medium["found"]) == (50, 500, 1, 1)
    background = 1600 - 116
    assert large["iou_per_class"] == {"a": pytest.approx(background / (background + 8)), "b": None, "c": None}
    assert large["below"] is None
