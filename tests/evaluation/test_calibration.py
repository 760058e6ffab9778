"""Calibration against a loop and against torchmetrics."""

import pytest
import torch
from torchmetrics.classification import MulticlassCalibrationError

from attseg.data.sample import Sample
from attseg.evaluation.calibration import CalibrationMeter, calibration_counts
from attseg.evaluation.counts import add_up


def some(seed=0, k=5, shape=(30, 40)):
    rng = torch.Generator().manual_seed(seed)
    scores = (3 * torch.randn(k, *shape, generator=rng)).softmax(0)
    labels = torch.multinomial(scores.flatten(1).T, 1, generator=rng).view(shape).byte()
    labels[torch.rand(shape, generator=rng) < 0.2] = 255
    return scores, labels


def test_bins_equal_a_loop():
    scores, labels = some(shape=(9, 11))
    scores[:, 0, :3] = torch.tensor([[1.0, 0, 0], [0, 1, 0.5], [0, 0, 0.5], [0, 0, 0], [0, 0, 0]])  # ends of bins
    counts = calibration_counts(scores, labels, bins=10)
    pixels, right, confidence = [0] * 10, [0] * 10, [0.0] * 10
    ends = torch.linspace(0, 1, 11).tolist()
    for y in range(9):
        for x in range(11):
            if labels[y, x] == 255:
                continue
            best = float(scores[:, y, x].max())
            place = next(m for m in range(10) if ends[m] < best <= ends[m + 1])
            pixels[place] += 1
            right[place] += int(scores[:, y, x].argmax()) == int(labels[y, x])
            confidence[place] += best
    assert counts["pixels"].tolist() == pixels
    assert counts["right"].tolist() == right
    assert counts["confidence"].tolist() == pytest.approx(confidence)


def test_errors_equal_torchmetrics_over_bands_and_pictures():
    meter, parts, all_scores, all_labels = CalibrationMeter(), [], [], []
    for seed in range(3):
        scores, labels = some(seed)
        bands = (slice(0, 13), slice(13, 30))
        parts.extend(meter.count(Sample(None, labels[rows].numpy(), "x"), None, scores[:, rows]) for rows in bands)
        all_scores.append(scores.flatten(1).T)
        all_labels.append(labels.flatten())
    found = meter.result(add_up(parts))
    for name, norm in (("ece", "l1"), ("mce", "max")):
        theirs = MulticlassCalibrationError(5, n_bins=15, norm=norm, ignore_index=255)
        expected = theirs(torch.cat(all_scores), torch.cat(all_labels).long())
        assert found[name] == pytest.approx(float(expected), abs=1e-5)


def test_labels_drawn_from_the_probabilities_are_calibrated_and_wrong_ones_are_not():
    scores, labels = some(shape=(200, 200))
    meter = CalibrationMeter()
    honest = meter.result(calibration_counts(scores, labels))
    assert honest["ece"] < 0.02
    assert honest["mean_confidence"] == pytest.approx(honest["accuracy"], abs=0.02)
    assert meter.result(calibration_counts(scores, torch.zeros_like(labels)))["ece"] > 0.3


def test_nothing_but_ignored_pixels_has_no_error():
    scores, labels = some(shape=(4, 4))
    found = CalibrationMeter().result(calibration_counts(scores, torch.full_like(labels, 255)))
    assert (found["ece"], found["accuracy"], found["bins"][3]["confidence"]) == (None, None, None)
