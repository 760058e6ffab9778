"""Merging score maps over image scales against loops over every position."""

import numpy as np
import pytest
import torch

from attseg import capture
from attseg.attention.scale import AttentionToScale, AverageOverScales, MaxOverScales
from attseg.errors import UsageError
from naive_scale import CHANNELS, SIZE, K, block, dilated, fit, inputs, randomized, softmax

every_number_of_scales = pytest.mark.parametrize("scales", [2, 3])


@every_number_of_scales
def test_largest_and_mean(scales):
    scores, stages = inputs(scales)
    largest, mean = MaxOverScales()(scores, stages), AverageOverScales()(scores, stages)
    for place in np.ndindex(*largest.shape):
        values = [float(score[place]) for score in scores]
        assert float(largest[place]) == max(values)
        assert float(mean[place]) == pytest.approx(sum(values) / scales)


@pytest.mark.parametrize("norm", [True, False])
@every_number_of_scales
def test_attention_to_scale_equals_loops(scales, norm):
    merge = randomized(AttentionToScale(CHANNELS, scales, channels=5, norm=norm))
    scores, stages = inputs(scales)
    with torch.no_grad():
        out = merge(scores, stages).numpy()
    for n in range(2):
        deepest = [maps[-1][n].numpy() for maps in stages]
        seen = np.concatenate([fit(deep, deepest[0].shape[1:]) for deep in deepest])
        hidden = block(seen, merge.weigh[0]) if norm else np.maximum(dilated(seen, merge.weigh[0]), 0)
        wanted = fit(dilated(hidden, merge.weigh[-1]), SIZE)
        for c, i, j in np.ndindex(K, *SIZE):
            weights = softmax(wanted[:, i, j])
            expected = sum(weight * float(score[n, c, i, j]) for weight, score in zip(weights, scores, strict=True))
            assert out[n, c, i, j] == pytest.approx(expected, abs=1e-10)


def test_weights_sum_to_one_over_the_scales():
    merge = randomized(AttentionToScale(CHANNELS, 3))
    with capture(merge) as maps:
        merge(*inputs(3))
    (one,) = maps
    assert (one.name, one.kind, tuple(one.weights.shape)) == ("attention", "scale", (2, 3, *SIZE))
    torch.testing.assert_close(one.weights.sum(1), torch.ones(2, *SIZE, dtype=torch.float64))
    assert one.weights.min() >= 0


def test_equal_scores_stay_whatever_the_weights():
    merge = randomized(AttentionToScale(CHANNELS, 2))
    (score, _), stages = inputs(2)
    torch.testing.assert_close(merge([score, score], stages), score)


def test_attention_over_one_scale_gets_a_sentence():
    with pytest.raises(UsageError, match="attention over 1 image scale has nothing to choose from"):
        AttentionToScale(CHANNELS, 1)
