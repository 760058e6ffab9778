"""RRB against tensor algebra, and the order of DFN's steps."""

import pytest
import torch

from attseg import capture
from attseg.decoders.refinement import RefinementDecoder, RefinementResidualBlock
from attseg.layers import resize

LOWS = [torch.randn(2, 3, 16, 20), torch.randn(2, 5, 8, 10), torch.randn(2, 7, 4, 5)]
HIGH = torch.randn(2, 6, 4, 5)


def naive_3x3(maps, weight):
    """Nine shifted copies, each through its own matrix."""
    h, w = maps.shape[-2:]
    padded = maps.new_zeros(*maps.shape[:2], h + 2, w + 2)
    padded[..., 1:-1, 1:-1] = maps
    shifted = [(i, j, padded[..., i : i + h, j : j + w]) for i in range(3) for j in range(3)]
    return sum(torch.einsum("oi,nihw->nohw", weight[:, :, i, j], part) for i, j, part in shifted)


@pytest.mark.parametrize("size", [(6, 8), (5, 3), (1, 1)], ids=str)
def test_the_block_equals_its_drawing(size):
    torch.manual_seed(0)
    block = RefinementResidualBlock(3, 4).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter)
    block.train()(torch.randn(4, 3, 6, 6).double())
    block.eval()
    (conv, norm, _), last = block.residual
    maps = torch.randn(2, 3, *size).double()
    with torch.no_grad():
        reduced = torch.einsum("oi,nihw->nohw", block.reduce.weight[:, :, 0, 0], maps)
        mean, std = norm.running_mean[:, None, None], torch.sqrt(norm.running_var + norm.eps)[:, None, None]
        inner = (naive_3x3(reduced, conv.weight) - mean) / std * norm.weight[:, None, None] + norm.bias[:, None, None]
        expected = (reduced + naive_3x3(inner.clamp(min=0), last.weight)).clamp(min=0)
        torch.testing.assert_close(block(maps), expected, atol=1e-10, rtol=1e-10)


@torch.no_grad()
def test_takes_one_step_a_map_from_the_pooled_one_to_the_finest():
    torch.manual_seed(0)
    decoder = RefinementDecoder((3, 5, 7), 6).eval()
    conv = decoder.whole[0]
    means = torch.stack([torch.stack([channel.mean() for channel in picture]) for picture in HIGH])
    expected = (means @ conv.weight[:, :, 0, 0].T + conv.bias).clamp(min=0)[:, :, None, None]
    for step, maps in zip(reversed(decoder.steps), (HIGH, *reversed(LOWS)), strict=True):
        expected = step.after(step.select(step.before(maps), expected))
    out = decoder(LOWS, HIGH)
    assert out.fused.shape == (2, 6, 16, 20)
    assert out.sides == {}
    torch.testing.assert_close(out.fused, expected)


@torch.no_grad()
def test_without_its_options_the_steps_refine_plain_sums():
    torch.manual_seed(0)
    decoder = RefinementDecoder((3, 5, 7), 6, attention=False, global_pooling=False).eval()
    deepest = decoder.steps[3]
    expected = deepest.after(deepest.before(HIGH))
    for index in (2, 1, 0):
        step = decoder.steps[index]
        expected = step.after(step.before(LOWS[index]) + resize(expected, LOWS[index].shape[-2:]))
    torch.testing.assert_close(decoder(LOWS, HIGH).fused, expected)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, [3, 2, 1, 0]),
        ({"global_pooling": False}, [2, 1, 0]),
        ({"attention": False}, []),
        ({"attention": False, "global_pooling": False}, []),
    ],
    ids=str,
)
def test_every_selection_is_seen_and_every_parameter_used(options, steps):
    decoder = RefinementDecoder((3, 5, 7), 6, **options)
    if not steps:
        with pytest.raises(RuntimeError, match="has no attention"), capture(decoder):
            decoder(LOWS, HIGH)
    else:
        with capture(decoder) as maps:
            decoder(LOWS, HIGH)
        assert [(m.name, m.kind) for m in maps] == [(f"steps.{i}.select.attention", "channel") for i in steps]
    decoder(LOWS, HIGH).fused.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in decoder.parameters())
