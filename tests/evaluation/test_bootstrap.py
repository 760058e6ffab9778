"""Intervals against a plain loop over drawn splits, and against what is known of the mean."""

import numpy as np
import pytest

from attseg.errors import UsageError
from attseg.evaluation.bootstrap import class_parts, ious_of, miou_interval, paired_intervals
from attseg.metrics import iou, mean_present


def pictures(count=12, k=4, seed=0):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 30, (count, k, k))
    counts[:, range(k), range(k)] += rng.integers(0, 400, (count, k))
    counts[:, k - 1] = counts[:, :, k - 1] = 0
    counts[0, k - 1, k - 1] = 50  # a class of one picture alone, which some draws lack
    return counts


def test_iou_of_parts_is_that_of_the_matrix():
    counts = pictures()
    assert np.allclose(ious_of(class_parts(counts).sum(0)), iou(counts.sum(0)), equal_nan=True)


def test_an_interval_equals_a_loop_over_drawn_splits():
    counts = pictures()
    rng = np.random.default_rng(3)
    drawn = []
    for _ in range(200):
        chosen = rng.integers(0, len(counts), len(counts))
        drawn.append(mean_present(iou(sum(counts[index] for index in chosen))))
    found = miou_interval(class_parts(counts), draws=200, seed=3)
    assert found.value == mean_present(iou(counts.sum(0)))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))))
    assert found.low < found.value < found.high


@pytest.mark.parametrize("block", [2, 5, 6])
def test_blocks_are_pictures_that_follow_each_other_round_the_end(block):
    counts = pictures()
    rng = np.random.default_rng(3)
    drawn = []
    for _ in range(100):
        starts = rng.integers(0, 12, -(-12 // block))
        chosen = [(start + step) % 12 for start in starts for step in range(block)]
        drawn.append(mean_present(iou(sum(counts[index] for index in chosen))))
    found = miou_interval(class_parts(counts), draws=100, seed=3, block=block)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))))


def test_frames_that_look_alike_say_less_than_as_many_pictures():
    """Each of eight pictures is there five times in a row: drawn by blocks of five they tell about as much as eight pictures."""
    few = class_parts(pictures(8))
    many = np.repeat(few, 5, axis=0)
    width = [
        found.high - found.low for found in (miou_interval(few), miou_interval(many, block=5), miou_interval(many))
    ]
    assert width[2] < 0.6 * width[0]
    assert 0.7 * width[0] < width[1] < 1.2 * width[0]
    moved, _ = paired_intervals(many, many[::-1], draws=50, block=5)
    assert moved.low < 0 == moved.value < moved.high


def test_the_same_pictures_have_no_interval():
    counts = np.repeat(pictures()[:1], 6, axis=0)
    low, high = miou_interval(class_parts(counts), draws=50)[1:]
    assert low == high == pytest.approx(mean_present(iou(counts[0])))


def test_pairs_are_judged_on_the_same_pictures():
    """The second model is a little better on every picture: the pair knows, two intervals of their own do not."""
    before = pictures(30)
    after = before.copy()
    after[:, 0, 0] += after[:, 0, 1] // 2
    after[:, 0, 1] -= after[:, 0, 1] // 2
    one, other = class_parts(before), class_parts(after)
    miou, classes = paired_intervals(one, other, draws=300)
    assert 0 < miou.low < miou.value < miou.high
    assert miou.value == pytest.approx(mean_present(iou(after.sum(0))) - mean_present(iou(before.sum(0))))
    assert classes[0].low > 0
    assert (classes[2].low, classes[2].high) == (0, 0)
    assert miou_interval(one).high > miou_interval(other).low


def test_a_model_against_itself_has_not_moved():
    parts = class_parts(pictures())
    miou, classes = paired_intervals(parts, parts, draws=20)
    assert miou == (0, 0, 0)
    assert set(classes) == {(0, 0, 0)}


def test_an_absent_class_is_null():
    counts = pictures()
    counts[:, 3] = counts[:, :, 3] = 0
    _, classes = paired_intervals(class_parts(counts), class_parts(counts), draws=10)
    assert classes[3].to_dict() == {"value": None, "low": None, "high": None}


def test_one_picture_is_not_enough():
    with pytest.raises(UsageError, match="needs at least 2 of them, and there is 1; evaluate a larger split"):
        miou_interval(class_parts(pictures(1)))


@pytest.mark.parametrize("block", [0, 7])
def test_a_block_of_more_than_half_is_not_drawn(block):
    with pytest.raises(UsageError, match=f"blocks of {block} pictures .* from 12; blocks of 1 to 6 were expected"):
        miou_interval(class_parts(pictures()), block=block)
