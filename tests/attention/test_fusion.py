"""DAFM against equations 3 to 8, one value after another."""

import math

import pytest
import torch
import torch.nn.functional as F

from attseg import capture
from attseg.attention.fusion import DualAttentionFusion
from attseg.errors import UsageError

SIZES = [((8, 12), (4, 6)), ((7, 5), (4, 3)), ((4, 4), (4, 4)), ((3, 9), (1, 1))]


def trained(**options):
    """A module in evaluation whose weights and running statistics are those of no fresh one."""
    torch.manual_seed(0)
    dafm = DualAttentionFusion(3, 5, **options).double()
    for parameter in dafm.parameters():
        torch.nn.init.normal_(parameter)
    dafm.train()(torch.randn(4, 3, 6, 6).double(), torch.randn(4, 5, 3, 3).double())
    return dafm.eval()


def naive_gate(gate, high):
    """Section 3.2: global average pooling, 1x1 convolution, sigmoid; of one picture."""
    means = [sum(channel.flatten().tolist()) / channel.numel() for channel in high]
    conv = gate.weigh[0]
    values = [sum(w * m for w, m in zip(row.flatten().tolist(), means, strict=True)) for row in conv.weight]
    return [1 / (1 + math.exp(-v - b)) for v, b in zip(values, conv.bias.tolist(), strict=True)]


def naive_dafm(dafm, low, high):
    conv, norm, _ = dafm.reduce
    low = torch.einsum("oi,nihw->nohw", conv.weight[:, :, 0, 0], low) - norm.running_mean[:, None, None]
    low = low / torch.sqrt(norm.running_var + norm.eps)[:, None, None] * norm.weight[:, None, None]
    low = (low + norm.bias[:, None, None]).clamp(min=0)
    fine = F.interpolate(high, low.shape[-2:], mode="bilinear", align_corners=False)
    out = torch.empty_like(low)
    for n, c, i, j in torch.cartesian_prod(*map(torch.arange, low.shape)).tolist():
        of_high = naive_gate(dafm.high_gate, high[n])[c] if dafm.high_gate else 1
        of_low = naive_gate(dafm.low_gate, high[n])[c] if dafm.low_gate else 1
        out[n, c, i, j] = of_low * low[n, c, i, j] + of_high * fine[n, c, i, j]
    return out


@pytest.mark.parametrize("gates", ["both", "high", "low", "none"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@torch.no_grad()
def test_equals_the_equations(gates, sizes):
    dafm = trained(gates=gates)
    low, high = torch.randn(2, 3, *sizes[0]).double(), torch.randn(2, 5, *sizes[1]).double()
    torch.testing.assert_close(dafm(low, high), naive_dafm(dafm, low, high), atol=1e-12, rtol=1e-12)


@torch.no_grad()
def test_differences_between_positions_are_weighed_channel_by_channel():
    """Equations 7 and 8: between two positions, each channel's difference is scaled by its weight, map by map."""
    dafm = trained()
    low, high = torch.randn(1, 3, 6, 7).double(), torch.randn(1, 5, 6, 7).double()
    with capture(dafm) as maps:
        out = dafm(low, high)
    of_high, of_low = (m.weights[0, :, 0, 0] for m in maps)
    reduced = dafm.reduce(low)
    a, b = (0, 1, 2), (0, 4, 6)
    for channel in range(5):
        difference_low = reduced[0, channel][a[1:]] - reduced[0, channel][b[1:]]
        difference_high = high[0, channel][a[1:]] - high[0, channel][b[1:]]
        expected = of_low[channel] * difference_low + of_high[channel] * difference_high
        torch.testing.assert_close(out[0, channel][a[1:]] - out[0, channel][b[1:]], expected)


def test_the_taps_tell_high_from_low():
    dafm = DualAttentionFusion(3, 5)
    low, high = torch.randn(2, 3, 4, 4), torch.randn(2, 5, 2, 2)
    with capture(dafm) as maps:
        dafm(low, high)
    found = [(m.name, m.kind, tuple(m.weights.shape)) for m in maps]
    assert found == [
        ("high_gate.attention", "channel", (2, 5, 1, 1)),
        ("low_gate.attention", "channel", (2, 5, 1, 1)),
    ]
    assert all(((m.weights > 0) & (m.weights < 1)).all() for m in maps)
    single = DualAttentionFusion(3, 5, gates="low")
    with capture(single) as maps:
        single(low, high)
    assert [m.name for m in maps] == ["low_gate.attention"]
    plain = DualAttentionFusion(3, 5, gates="none")
    with pytest.raises(RuntimeError, match="has no attention"), capture(plain):
        plain(low, high)


def test_each_gate_weighs_its_own_map():
    dafm = DualAttentionFusion(3, 5).eval()
    low, high = torch.randn(2, 3, 4, 4), torch.randn(2, 5, 2, 2)
    with torch.no_grad(), capture(dafm, edit={"high_gate.attention": torch.zeros_like}) as maps:
        without_high = dafm(low, high)
    torch.testing.assert_close(without_high, dafm.reduce(low) * maps[1].weights)


@pytest.mark.parametrize("gates", ["both", "high", "low", "none"])
def test_trains_on_a_single_value(gates):
    dafm = DualAttentionFusion(3, 5, gates=gates)
    dafm(torch.randn(1, 3, 1, 1), torch.randn(1, 5, 1, 1)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in dafm.parameters())


def test_parameters_follow_from_the_options():
    def count(gates):
        return sum(p.numel() for p in DualAttentionFusion(24, 16, gates=gates).parameters())

    assert count("none") == 24 * 16 + 2 * 16
    assert count("low") == count("high") == count("none") + 16 * 16 + 16
    assert count("both") == count("none") + 2 * (16 * 16 + 16)


def test_says_what_is_wrong():
    with pytest.raises(UsageError, match="no setting of the gates 'hgih'; did you mean 'high'"):
        DualAttentionFusion(3, 5, gates="hgih")
