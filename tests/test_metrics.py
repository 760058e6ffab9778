"""The confusion matrix against loops, torchmetrics, and itself in halves."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.classification import MulticlassConfusionMatrix, MulticlassJaccardIndex

from attseg.metrics import ConfusionMatrix


def naive_counts(predictions, labels, k, ignore):
    counts = np.zeros((k, k), np.int64)
    for p, t in zip(predictions.ravel().tolist(), labels.ravel().tolist(), strict=True):
        if t != ignore:
            counts[t, p] += 1
    return counts


@settings(max_examples=40, deadline=None)
@given(k=st.integers(1, 255), seed=st.integers(0, 99), kind=st.sampled_from(["bytes", "ints", "arrays", "negative"]))
def test_counts_equal_a_loop(k, seed, kind):
    rng = np.random.default_rng(seed)
    ignore = -1 if kind == "negative" else 255
    predictions = rng.integers(0, k, (2, 7, 5))
    labels = np.where(rng.random((2, 7, 5)) < 0.2, ignore, rng.integers(0, k, (2, 7, 5)))
    expected = naive_counts(predictions, labels, k, ignore)
    if kind in ("bytes", "arrays"):
        predictions, labels = predictions.astype(np.uint8), labels.astype(np.uint8)
    confusion = ConfusionMatrix(k, ignore)
    if kind == "arrays":
        confusion.update(predictions, labels)
    else:
        confusion.update(torch.from_numpy(predictions), torch.from_numpy(labels))
    assert np.array_equal(confusion.counts.numpy(), expected)
    assert confusion.counts.dtype == torch.int64


@pytest.mark.parametrize("k", [2, 11, 150])
def test_miou_equals_torchmetrics(k):
    rng = torch.Generator().manual_seed(k)
    ours = ConfusionMatrix(k)
    theirs = MulticlassJaccardIndex(k, average="macro", ignore_index=255)
    each = MulticlassJaccardIndex(k, average="none", ignore_index=255)
    for _ in range(3):
        predictions = torch.randint(k, (2, 40, 30), generator=rng)
        labels = torch.randint(k, (2, 40, 30), generator=rng)
        labels[torch.rand(labels.shape, generator=rng) < 0.1] = 255
        for metric in (ours, theirs, each):
            metric.update(predictions, labels)
    assert ours.miou == pytest.approx(theirs.compute().item(), abs=1e-6)
    torch.testing.assert_close(ours.iou.float(), each.compute(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64])
def test_counts_of_a_street_scene_equal_torchmetrics_to_the_pixel(kind):
    rng = torch.Generator().manual_seed(0)
    predictions, labels = torch.randint(19, (2, 256, 512), generator=rng)
    labels[torch.rand(labels.shape, generator=rng) < 0.1] = 255
    ours = ConfusionMatrix(19)
    ours.update(predictions.to(kind), labels.to(kind))
    assert torch.equal(ours.counts, MulticlassConfusionMatrix(19, ignore_index=255)(predictions, labels))


def test_scores_of_a_hand_made_case():
    confusion = ConfusionMatrix(3)
    confusion.update(torch.tensor([0, 0, 1, 1, 0]), torch.tensor([0, 0, 0, 1, 255]))
    assert confusion.counts.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert confusion.iou[:2].tolist() == [2 / 3, 1 / 2]
    assert math.isnan(confusion.iou[2])
    assert confusion.miou == pytest.approx((2 / 3 + 1 / 2) / 2)  # the absent class is left out
    assert confusion.pixel_accuracy == 3 / 4
    assert confusion.mean_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert confusion.frequency_weighted_iou == pytest.approx(3 / 4 * 2 / 3 + 1 / 4 * 1 / 2)


def test_a_class_that_is_only_predicted_counts_as_zero():
    confusion = ConfusionMatrix(3)
    confusion.update(torch.tensor([0, 2]), torch.tensor([0, 0]))
    assert confusion.iou.nan_to_num(-1).tolist() == [0.5, -1, 0]
    assert confusion.miou == 0.25


def test_nothing_counted_is_not_a_number():
    confusion = ConfusionMatrix(2)
    confusion.update(torch.tensor([1, 0], dtype=torch.uint8), torch.tensor([255, 255], dtype=torch.uint8))
    scores = (confusion.miou, confusion.pixel_accuracy, confusion.mean_accuracy, confusion.frequency_weighted_iou)
    assert all(math.isnan(score) for score in scores)


def test_two_halves_are_the_whole():
    rng = torch.Generator().manual_seed(0)
    predictions, labels = torch.randint(5, (2, 20, 20), generator=rng)
    halves, whole = ConfusionMatrix(5), ConfusionMatrix(5)
    whole.update(predictions, labels)
    halves.update(predictions[:7].byte(), labels[:7].byte())
    halves.update(predictions[7:], labels[7:])
    assert torch.equal(halves.counts, whole.counts)


def test_masks_of_one_class_against_the_rest_may_be_booleans():
    confusion = ConfusionMatrix(2)
    confusion.update(torch.tensor([True, False, True]), torch.tensor([True, True, False]))
    assert confusion.counts.tolist() == [[0, 1], [1, 1]]
    confusion.update(torch.tensor([], dtype=torch.int64), torch.tensor([], dtype=torch.int64))
    assert confusion.counts.sum() == 3


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64])
def test_values_that_are_no_class_are_named(kind):
    confusion = ConfusionMatrix(3)
    with pytest.raises(ValueError, match="2 pixels have a label that is no class: 7; 0..2 were expected"):
        confusion.update(torch.tensor([0, 1, 0], dtype=kind), torch.tensor([7, 1, 7], dtype=kind))
    with pytest.raises(ValueError, match="1 pixels have a prediction that is no class: 3"):
        confusion.update(torch.tensor([3, 9], dtype=kind), torch.tensor([0, 255], dtype=kind))
    assert not confusion.counts.any()


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"shape \(2,\) and labels \(3,\)"):
        ConfusionMatrix(2).update(torch.tensor([0, 1]), torch.tensor([0, 1, 1]))
    with pytest.raises(ValueError, match=r"predictions are torch.float32; integers were expected \(take argmax"):
        ConfusionMatrix(2).update(torch.rand(4), torch.zeros(4, dtype=torch.int64))
    with pytest.raises(ValueError, match="num_classes is 0"):
        ConfusionMatrix(0)
    with pytest.raises(ValueError, match="which is one of the classes 0..2"):
        ConfusionMatrix(3, ignore_index=1)
