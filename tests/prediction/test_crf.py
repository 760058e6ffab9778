"""The CRF against mean field inference written out, pixel by pixel; and that pictures side by side come out in order."""

import importlib.util

import numpy as np
import pytest

from attseg.errors import UsageError
from attseg.prediction import crf as module
from attseg.prediction.crf import DenseCrf, refine_all

installed = pytest.mark.skipif(importlib.util.find_spec("pydensecrf") is None, reason="pydensecrf2 is not installed")

WIDE = DenseCrf(bi_w=4, bi_xy_std=4, bi_rgb_std=30, pos_w=1, pos_xy_std=2)


def two_halves(seed=0, height=9, width=12):
    """A picture with an edge, and noisy probabilities that are right more often than not."""
    rng = np.random.default_rng(seed)
    truth = (np.arange(width) >= width // 2).astype(np.uint8)[None].repeat(height, 0)
    image = np.where(truth[..., None] == 1, 200, 50).astype(np.uint8).repeat(3, axis=2)
    right = np.clip(rng.normal(0.6, 0.15, truth.shape), 0.05, 0.95)
    first = np.where(truth == 0, right, 1 - right)
    return image, np.stack((first, 1 - first)).astype(np.float32), truth


def mean_field(crf, image, probabilities):
    """Equation by equation, with exact filters: messages, Potts compatibility, and softmax."""
    classes, height, width = probabilities.shape
    places = np.stack(np.mgrid[:height, :width], -1).reshape(-1, 2).astype(float)
    colors = image.reshape(-1, 3).astype(float)
    near = ((places[:, None] - places[None]) ** 2).sum(-1)
    alike = ((colors[:, None] - colors[None]) ** 2).sum(-1)
    kernels = [
        (crf.pos_w, np.exp(-near / (2 * crf.pos_xy_std**2))),
        (crf.bi_w, np.exp(-near / (2 * crf.bi_xy_std**2) - alike / (2 * crf.bi_rgb_std**2))),
    ]
    unary = -np.log(probabilities.reshape(classes, -1))
    q = np.exp(-unary) / np.exp(-unary).sum(0)
    for _ in range(crf.iterations):
        energy = unary.copy()
        for weight, kernel in kernels:
            root = np.sqrt(kernel.sum(1))
            energy -= weight * (q @ (kernel / root[:, None] / root[None]))
        q = np.exp(-energy) / np.exp(-energy).sum(0)
    return q.reshape(probabilities.shape)


@installed
def test_equals_mean_field_inference_as_far_as_its_filters_are_exact():
    image, probabilities, truth = two_halves()
    expected = mean_field(WIDE, image, probabilities)
    found = WIDE(image, probabilities)
    assert np.abs(found.sum(0) - 1).max() < 1e-5
    assert (found.argmax(0) == expected.argmax(0)).mean() > 0.97
    assert np.abs(found - expected).mean() < 0.05
    assert (found.argmax(0) == truth).mean() > (probabilities.argmax(0) == truth).mean()


@installed
@pytest.mark.slow
def test_pictures_side_by_side_equal_one_after_another():
    pictures = [two_halves(seed)[:2] for seed in range(4)]
    jobs = [(place, *picture) for place, picture in enumerate(pictures)]
    jobs.insert(2, ("broken", None, None))
    found = list(refine_all(WIDE, iter(jobs), with_probabilities=True, processes=2))
    assert [item for item, _ in found] == [0, 1, "broken", 2, 3]
    assert found[2][1] is None
    for item, refined in found:
        if refined is not None:
            expected = WIDE(*pictures[item])
            assert np.array_equal(refined.probabilities, expected)
            assert np.array_equal(refined.labels, expected.argmax(0))
            assert np.array_equal(refined.scores, expected.max(0))


def test_the_parameters_are_those_of_psanet():
    assert DenseCrf().to_dict() == {
        **{"bi_w": 3.5, "bi_xy_std": 55, "bi_rgb_std": 3, "pos_w": 2, "pos_xy_std": 1},
        "iterations": 10,
    }


def test_without_the_package_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"needs the package pydensecrf2, .* pip install 'pydensecrf2>="):
        DenseCrf()(np.zeros((4, 4, 3), np.uint8), np.ones((2, 4, 4), np.float32))


@installed
def test_wrong_values_and_sizes_get_sentences():
    with pytest.raises(UsageError, match="bi_rgb_std of the CRF is 0; a number above 0 was expected"):
        DenseCrf(bi_rgb_std=0)
    with pytest.raises(UsageError, match=r"shape \(4, 5, 3\) and its probabilities \(2, 4, 4\)"):
        DenseCrf()(np.zeros((4, 5, 3), np.uint8), np.ones((2, 4, 4), np.float32))
