"""Location attention against loops over every position, from figure 1 and equations 1 to 4."""

import numpy as np
import pytest
import torch

from attseg import capture
from attseg.attention.location import LocationAttention
from attseg.errors import UsageError
from naive_scale import CHANNELS, SIZE, K, block, branch, fit, inputs, randomized, softmax


def naive(merge, scores, stages, recalibration):
    """One picture: score maps (K, H, W) and stages (C, h, w) of each scale."""
    seen = []
    for see, maps in zip(merge.see, stages, strict=True):
        column = np.concatenate([fit(maps[stage], maps[0].shape[1:]) for stage in merge.stages])
        seen.append(fit(block(column, see), stages[0][0].shape[1:]))
    features = np.concatenate(seen)
    wanted = fit(branch(features, merge.weigh), scores[0].shape[1:])
    out = np.zeros_like(scores[0])
    classes = None if recalibration is None else fit(branch(features, merge.recalibrate.weigh), scores[0].shape[1:])
    for c, i, j in np.ndindex(*out.shape):
        for weight, score in zip(softmax(wanted[:, i, j]), scores, strict=True):
            refined = score[c, i, j]
            if recalibration == "multiply":
                refined = refined / (1 + np.exp(-classes[c, i, j]))
            elif recalibration == "bias":
                refined = refined + 1 / (1 + np.exp(-classes[c, i, j]))
            out[c, i, j] += weight * refined
    return out


@pytest.mark.parametrize(
    ("dilations", "stages", "recalibration", "size"),
    [
        ([2, 12], None, "multiply", SIZE),
        ([1, 3], None, "bias", SIZE),
        ([1, 1], [2], None, SIZE),
        ([1, 2, 4], [0, 2], "multiply", SIZE),
        ([2, 3], None, "multiply", (13, 20)),
    ],
    ids=str,
)
def test_equals_loops(dilations, stages, recalibration, size):
    merge = randomized(
        LocationAttention(
            CHANNELS,
            K,
            dilations=dilations,
            stages=stages,
            recalibration=recalibration,
            stream_channels=3,
            channels=5,
        )
    )
    _, maps = inputs(len(dilations))
    scores, _ = inputs(len(dilations), size=size)
    with torch.no_grad():
        out = merge(scores, maps).numpy()
    for n in range(2):
        own = [[each[n].numpy() for each in scale] for scale in maps]
        expected = naive(merge, [score[n].numpy() for score in scores], own, recalibration)
        np.testing.assert_allclose(out[n], expected, atol=1e-10)


def test_each_scale_has_a_convolution_with_its_dilation():
    merge = LocationAttention(CHANNELS, K, dilations=[2, 12])
    assert [see[0].dilation for see in merge.see] == [(2, 2), (12, 12)]


def test_maps_of_scales_and_of_classes_can_be_seen():
    merge = randomized(LocationAttention(CHANNELS, K, dilations=[1, 2, 3]))
    with capture(merge) as maps:
        merge(*inputs(3))
    found = {one.name: (one.kind, tuple(one.weights.shape)) for one in maps}
    assert found == {
        "attention": ("scale", (2, 3, *SIZE)),
        "recalibrate.attention": ("class", (2, K, *SIZE)),
    }
    scale = next(one.weights for one in maps if one.kind == "scale")
    torch.testing.assert_close(scale.sum(1), torch.ones(2, *SIZE, dtype=torch.float64))


def test_parameters_follow_from_the_options():
    def count(**options):
        merge = LocationAttention((64, 128, 256), 21, dilations=[2, 12], stream_channels=16, channels=32, **options)
        return sum(p.numel() for p in merge.parameters())

    def branches(out):
        return 32 * 32 * 9 + 2 * 32 + 32 * out + out

    see = 2 * (448 * 16 * 9 + 2 * 16)
    assert count() == see + branches(2) + branches(21)
    assert count(recalibration="bias") == count()
    assert count(recalibration=None) == see + branches(2)
    assert count(recalibration=None, stages=[2]) == 2 * (256 * 16 * 9 + 2 * 16) + branches(2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stages": [0, 3]}, r"stages \[0, 3\] were asked for; the network has 3, which are numbered 0 .* to 2"),
        ({"stages": [-1]}, r"stages \[-1\] were asked for"),
        ({"stages": []}, r"stages \[\] were asked for"),
        ({"dilations": [2]}, r"the dilations are \[2\]; one for each of two scales or more"),
        ({"dilations": [2, 0]}, "1 or larger"),
    ],
)
def test_says_what_is_wrong(options, message):
    with pytest.raises(UsageError, match=message):
        LocationAttention(CHANNELS, K, **{"dilations": [2, 12], **options})
