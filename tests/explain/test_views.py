import numpy as np
import pytest
import torch

from attseg.errors import UsageError
from attseg.explain.capture import AttentionMap
from attseg.explain.views import draw_map, heat_map

IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
BLACK = np.zeros((48, 64, 3), np.uint8)


def a_map(kind, *shape):
    return AttentionMap("tap", kind, torch.rand(shape, generator=torch.Generator().manual_seed(0)))


def lightness(view):
    return np.asarray(view.picture, float).sum(-1)


@pytest.mark.parametrize("kind", ["spatial", "class"])
@pytest.mark.parametrize("channels", [1, 5])
def test_heat_maps_have_the_size_of_the_picture(kind, channels):
    view = draw_map(a_map(kind, 2, channels, 6, 8), IMAGE, item=1)
    assert view.picture.size == (64, 48)


def test_a_heat_map_brightens_with_the_weight():
    weights = torch.arange(64.0).expand(48, 64)
    light = lightness(heat_map(BLACK, weights))
    assert (np.diff(light, axis=1) >= 0).all() and light[0, -1] > light[0, 0] + 200


def test_the_range_of_a_spatial_map_is_its_own_and_that_of_a_class_map_is_0_to_1_at_least():
    weights = torch.full((1, 1, 2, 2), 3.0)
    weights[..., 0, 0] = -1
    assert draw_map(AttentionMap("tap", "spatial", weights), IMAGE)[1:] == (-1, 3)
    assert draw_map(AttentionMap("tap", "class", weights), IMAGE)[1:] == (-1, 3)
    assert draw_map(AttentionMap("tap", "class", weights.clamp(0.2, 0.8)), IMAGE)[1:] == (0, 1)


def test_channels_by_channels_are_bars_of_what_each_gives():
    weights = torch.rand(1, 5, 5).softmax(1)
    view = draw_map(AttentionMap("tap", "channel-pairs", weights), IMAGE)
    assert view[1:] == (0, pytest.approx(float(weights.mean(2).max())))


def test_one_channel_can_be_chosen_and_none_is_the_mean():
    weights = torch.rand(1, 3, 6, 8)
    chosen = draw_map(AttentionMap("tap", "spatial", weights), IMAGE, channel=2)
    mean = draw_map(AttentionMap("tap", "spatial", weights), IMAGE)
    assert chosen.picture.tobytes() == heat_map(IMAGE, weights[0, 2]).picture.tobytes()
    assert mean.picture.tobytes() == heat_map(IMAGE, weights[0].mean(0)).picture.tobytes()
    with pytest.raises(UsageError, match=r"channel 3 was asked for; 'tap' has the channels 0\.\.2"):
        draw_map(AttentionMap("tap", "spatial", weights), IMAGE, channel=3)


def test_a_constant_map_can_be_drawn():
    assert np.isfinite(lightness(heat_map(IMAGE, torch.full((3, 4), 0.5)))).all()


def test_scales_stand_beside_each_other():
    weights = torch.rand(1, 3, 6, 8).softmax(1)
    view = draw_map(AttentionMap("tap", "scale", weights), IMAGE)
    assert view.picture.size == (3 * 64 + 2 * 4, 48)
    assert np.array_equal(np.asarray(view.picture)[:, 68:132], np.asarray(heat_map(IMAGE, weights[0, 1], 0, 1).picture))


def test_a_pixel_of_a_pairwise_map_looks_where_its_weights_are():
    weights = torch.zeros(1, 12, 3, 4)
    weights[0, 0 * 4 + 3, 2, 1] = 1  # the target at row 2, column 1 looks at row 0, column 3
    view = draw_map(AttentionMap("tap", "pairwise", weights), BLACK, at=(20, 40))
    light = lightness(view)
    assert light[0, 63] == light[:10].max() and light[0, 63] > light[0, 0] + 200
    assert (np.asarray(view.picture)[34:47, 14:27] == 255).all(-1).any()  # the ring around the pixel
    middle = draw_map(AttentionMap("tap", "pairwise", weights), BLACK)
    assert middle.high == 0
    with pytest.raises(UsageError, match=r"pixel \(64, 0\) lies outside the picture, which is 64 wide and 48 high"):
        draw_map(AttentionMap("tap", "pairwise", weights), BLACK, at=(64, 0))


@pytest.mark.parametrize("channels", [1, 2, 256])
def test_channels_are_bars_on_no_background(channels):
    view = draw_map(a_map("channel", 2, channels, 1, 1), IMAGE)
    assert view.picture.mode == "RGBA"
    alpha = np.asarray(view.picture)[..., 3]
    assert alpha.min() == 0 and alpha.max() == 255
    assert (view.low, view.high) == (0, 1)


def test_higher_weights_are_higher_bars():
    bars = [
        (
            np.asarray(draw_map(AttentionMap("tap", "channel", torch.full((1, 8, 1, 1), value)), IMAGE).picture)[..., 3]
            > 0
        ).sum()
        for value in (0.2, 0.8)
    ]
    assert bars[1] > 1.5 * bars[0]


def test_half_precision_can_be_drawn():
    assert draw_map(AttentionMap("tap", "spatial", torch.rand(1, 1, 4, 4).bfloat16()), IMAGE).picture.size == (64, 48)
