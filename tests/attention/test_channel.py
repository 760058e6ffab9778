"""CAB against its drawing: put together, pool, two layers, sigmoid, weigh the finer map, add the deeper."""

import math

import pytest
import torch
import torch.nn.functional as F

from attseg import capture
from attseg.attention.channel import ChannelAttentionBlock


def naive_cab(cab, low, high):
    high = F.interpolate(high, low.shape[-2:], mode="bilinear", align_corners=False)
    out = high.clone()
    first, _, second, _ = cab.weigh
    for n, together in enumerate(torch.cat((low, high), 1)):
        pooled = [channel.sum().item() / channel.numel() for channel in together]
        hidden = [max(0, value) for value in naive_layer(first, pooled)]
        for c, value in enumerate(naive_layer(second, hidden)):
            out[n, c] += low[n, c] / (1 + math.exp(-value))
    return out


def naive_layer(conv, values):
    rows = zip(conv.weight.flatten(1).tolist(), conv.bias.tolist(), strict=True)
    return [sum(w * v for w, v in zip(row, values, strict=True)) + bias for row, bias in rows]


@pytest.mark.parametrize("sizes", [((8, 12), (4, 6)), ((7, 5), (4, 3)), ((4, 4), (4, 4)), ((3, 9), (1, 1))], ids=str)
@torch.no_grad()
def test_equals_the_drawing(sizes):
    torch.manual_seed(0)
    cab = ChannelAttentionBlock(3).double()
    low, high = torch.randn(2, 3, *sizes[0]).double(), torch.randn(2, 3, *sizes[1]).double()
    torch.testing.assert_close(cab(low, high), naive_cab(cab, low, high), atol=1e-12, rtol=1e-12)


def test_its_tap_holds_a_weight_a_channel_between_0_and_1():
    cab = ChannelAttentionBlock(3)
    with capture(cab) as maps:
        cab(torch.randn(2, 3, 4, 4), torch.randn(2, 3, 2, 2))
    assert [(m.name, m.kind, tuple(m.weights.shape)) for m in maps] == [("attention", "channel", (2, 3, 1, 1))]
    assert ((maps[0].weights > 0) & (maps[0].weights < 1)).all()


def test_trains_on_a_single_value():
    cab = ChannelAttentionBlock(8)
    cab(torch.randn(1, 8, 1, 1), torch.randn(1, 8, 1, 1)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in cab.parameters())
