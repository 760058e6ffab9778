"""Boundaries against erosions and distance transforms of SciPy, one class at a time, and against loops."""

import math

import numpy as np
import pytest
from scipy import ndimage

from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.sample import Sample
from attseg.evaluation.boundary import BoundaryMeter, boundary_overlap, boundary_reach, trimap_counts
from attseg.evaluation.counts import add_up
from attseg.evaluation.windows import differs_within, near_border

K = 4
CLASSES = ClassTable(tuple("abcd"), distinct_colors(K))


def blobs(seed, shape=(37, 53), ignored=0.1):
    """Label maps with regions of several sizes, holes, and ignored pixels."""
    rng = np.random.default_rng(seed)
    fields = ndimage.gaussian_filter(rng.random((K, *shape)), (0, 2, 2))
    labels = fields.argmax(0).astype(np.uint8)
    labels[rng.random(shape) < ignored] = 255
    return labels


def pair(seed, shape=(37, 53)):
    labels, prediction = blobs(seed, shape), blobs(seed, shape, ignored=0)
    moved = np.random.default_rng(seed).random(shape) < 0.1
    prediction[moved] = blobs(seed + 1, shape, ignored=0)[moved]
    return prediction, labels


@pytest.mark.parametrize("reach", [1, 2, 3, 6, 40, 80])
def test_another_class_within_reach_equals_a_loop(reach):
    labels = blobs(3, (12, 17))
    marked = differs_within(labels, reach)
    for y, x in np.ndindex(labels.shape):
        around = labels[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        other = bool(((around != labels[y, x]) & (around != 255)).any())
        assert marked[y, x] == (other and labels[y, x] != 255)


@pytest.mark.parametrize(("size", "reach"), [((5, 8), 1), ((5, 8), 2), ((5, 8), 3), ((4, 4), 9)])
def test_border_of_a_picture(size, reach):
    inside = np.pad(np.ones(size, bool), reach)
    expected = ~ndimage.binary_erosion(inside, np.ones((2 * reach + 1,) * 2))[reach:-reach, reach:-reach]
    assert np.array_equal(near_border(*size, reach), expected)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("ratio", [0.02, 0.06])
def test_boundary_iou_equals_repeated_erosion_of_each_mask(seed, ratio):
    """Without ignored pixels, as in the paper: the mask less the mask after d erosions."""
    labels, prediction = blobs(seed, ignored=0), blobs(seed + 1, ignored=0)
    reach = boundary_reach(*labels.shape, ratio)
    overlap = boundary_overlap(prediction, labels, K, ratio=ratio)
    for k in range(K):
        rings = [
            mask & ~ndimage.binary_erosion(mask, np.ones((3, 3)), iterations=reach, border_value=0)
            for mask in (labels == k, prediction == k)
        ]
        assert overlap[:, k].tolist() == [(rings[0] & rings[1]).sum(), rings[0].sum(), rings[1].sum()]


def test_the_reach_is_two_percent_of_the_diagonal():
    assert boundary_reach(1024, 2048) == round(0.02 * math.sqrt(1024**2 + 2048**2)) == 46


def test_the_trimap_counts_what_a_loop_over_pixels_counts():
    prediction, labels = pair(0, (14, 18))
    counts = trimap_counts(prediction, labels, K, (1, 3))
    expected = np.zeros((2, K, K), np.int64)
    for place, width in enumerate((1, 3)):
        for y, x in np.ndindex(labels.shape):
            around = labels[max(0, y - width) : y + width + 1, max(0, x - width) : x + width + 1]
            if labels[y, x] != 255 and ((around != labels[y, x]) & (around != 255)).any():
                expected[place, labels[y, x], prediction[y, x]] += 1
    assert np.array_equal(counts, expected)


def naive_f_score(pairs, tolerance):
    """Precision and recall over all pictures, by distance transforms, one class at a time."""
    scores = []
    for k in range(K):
        near, total = np.zeros(2), np.zeros(2)
        for prediction, labels in pairs:
            lines = []
            for one in (labels, np.where(labels == 255, 255, prediction)):
                other = (one != k) & (one != 255)
                lines.append((one == k) & ndimage.binary_dilation(other))  # a cross: the four neighbours
            for place in (0, 1):
                total[place] += lines[place].sum()
                if lines[1 - place].any():
                    distance = ndimage.distance_transform_edt(~lines[1 - place])
                    near[place] += (lines[place] & (distance <= tolerance)).sum()
        recall, precision = near / np.maximum(total, 1)
        both = precision + recall
        scores.append(np.nan if not total.any() else 2 * precision * recall / both if both else 0)
    return np.nanmean(scores)


def test_the_f_score_equals_distance_transforms():
    pairs = [pair(seed) for seed in range(3)]
    pairs.append((np.ones((9, 9), np.uint8), blobs(7, (9, 9))))  # a prediction without any contour
    meter = BoundaryMeter(CLASSES, tolerances=(1, 2, 5))
    counts = add_up(meter.count(Sample(None, labels, "x"), prediction, None) for prediction, labels in pairs)
    for entry in meter.result(counts)["f_score"]:
        assert entry["f_score"] == pytest.approx(naive_f_score(pairs, entry["tolerance"]), abs=1e-12)


def test_a_perfect_prediction_is_perfect_whatever_it_says_of_ignored_pixels():
    _, labels = pair(5)
    prediction = np.where(labels == 255, np.uint8(2), labels)
    meter = BoundaryMeter(CLASSES)
    found = meter.result(meter.count(Sample(None, labels, "x"), prediction, None))
    assert found["iou"] == 1
    assert {band["miou"] for band in found["trimap"]} == {1}
    assert {entry["f_score"] for entry in found["f_score"]} == {1}


def test_contours_moved_by_two_pixels_are_seen_by_narrow_bands_and_tolerances():
    labels = np.zeros((60, 60), np.uint8)
    labels[20:40, 20:40] = 1
    prediction = np.roll(labels, 2, axis=1)
    meter = BoundaryMeter(ClassTable(("a", "b"), distinct_colors(2)), widths=(1, 4, 16), tolerances=(1, 3))
    found = meter.result(meter.count(Sample(None, labels, "x"), prediction, None))
    mious = [band["miou"] for band in found["trimap"]]
    assert mious == sorted(mious)
    assert found["f_score"][0]["f_score"] < 1 == found["f_score"][1]["f_score"]


def test_one_class_alone_has_no_boundary_but_that_of_the_picture():
    labels = np.zeros((30, 30), np.uint8)
    meter = BoundaryMeter(CLASSES)
    found = meter.result(meter.count(Sample(None, labels, "x"), labels, None))
    assert (found["iou"], found["iou_per_class"]["b"]) == (1, None)
    assert [band["miou"] for band in found["trimap"]] == [None] * 6
    assert found["f_score"][0]["f_score"] is None
