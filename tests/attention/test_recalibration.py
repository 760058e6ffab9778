"""The recalibrating branch against loops over every position, from equation 3."""

import numpy as np
import pytest
import torch

from attseg import capture
from attseg.attention.recalibration import Recalibration
from attseg.errors import UsageError
from naive_scale import SIZE, K, branch, fit, inputs, randomized


@pytest.mark.parametrize("how", ["multiply", "bias", "signed-bias"])
@pytest.mark.parametrize("finer", [False, True])
def test_equals_loops(how, finer):
    recalibrate = randomized(Recalibration(4, K, how=how, channels=5))
    scores, _ = inputs(2)
    features = torch.randn(2, 4, *((4, 5) if finer else SIZE), dtype=torch.float64)
    with torch.no_grad():
        out = [each.numpy() for each in recalibrate(scores, features)]
    for n in range(2):
        weights = fit(branch(features[n].numpy(), recalibrate.weigh), SIZE)
        if how != "signed-bias":
            weights = 1 / (1 + np.exp(-weights))
        for s in range(2):
            for c, i, j in np.ndindex(K, *SIZE):
                score, weight = float(scores[s][n, c, i, j]), weights[c, i, j]
                expected = score * weight if how == "multiply" else score + weight
                assert out[s][n, c, i, j] == pytest.approx(expected, abs=1e-10)


def test_one_map_of_all_classes_serves_all_scales():
    recalibrate = randomized(Recalibration(4, K))
    scores, _ = inputs(3)
    with capture(recalibrate) as maps:
        recalibrate(scores, torch.randn(2, 4, *SIZE, dtype=torch.float64))
    (one,) = maps
    assert (one.kind, tuple(one.weights.shape)) == ("class", (2, K, *SIZE))
    assert 0 < one.weights.min() < one.weights.max() < 1


def test_a_signed_bias_lowers_scores_too_and_the_bias_of_before_does_not():
    scores, _ = inputs(2)
    features = torch.randn(2, 4, *SIZE, dtype=torch.float64)
    signed, before = (randomized(Recalibration(4, K, how=how, channels=5)) for how in ("signed-bias", "bias"))
    with torch.no_grad():
        changes = signed(scores, features)[0] - scores[0]
        assert changes.min() < 0 < changes.max()
        assert (before(scores, features)[0] - scores[0]).min() > 0


def test_says_what_is_wrong():
    with pytest.raises(UsageError, match="no recalibration 'multiplied'; did you mean 'multiply'"):
        Recalibration(4, K, how="multiplied")
