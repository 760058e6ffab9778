"""GCN's three parts: the large kernel against loops, the refinement, and the order of the sums."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from attseg.decoders.global_convolution import BoundaryRefinement, GlobalConvolution, GlobalConvolutionDecoder
from attseg.errors import UsageError

LOWS = [torch.randn(2, 3, 16, 20), torch.randn(2, 5, 8, 10), torch.randn(2, 7, 4, 5)]
HIGH = torch.randn(2, 6, 4, 5)


def naive_line(x, conv, axis):
    """A convolution along one axis (1 down, 2 across), one output value after another; zeros lie outside."""
    weight, bias = conv.weight.detach().numpy(), conv.bias.detach().numpy()
    kernel = max(weight.shape[2:])
    out = np.zeros((weight.shape[0], *x.shape[1:]))
    for o, i, j in np.ndindex(out.shape):
        out[o, i, j] = bias[o]
        for step in range(kernel):
            at = [i, j]
            at[axis - 1] += step - kernel // 2
            if 0 <= at[axis - 1] < x.shape[axis]:
                out[o, i, j] += weight[o].reshape(-1, kernel)[:, step] @ x[:, at[0], at[1]]
    return out


@pytest.mark.parametrize("size", [(6, 8), (5, 3), (1, 1)], ids=str)
@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_the_large_kernel_equals_loops(size, kernel):
    torch.manual_seed(0)
    gcn = GlobalConvolution(3, 2, kernel).double()
    x = torch.randn(1, 3, *size).double()
    (down, then_across), (across, then_down) = gcn.tall_wide, gcn.wide_tall
    expected = naive_line(naive_line(x[0].numpy(), down, 1), then_across, 2)
    expected += naive_line(naive_line(x[0].numpy(), across, 2), then_down, 1)
    with torch.no_grad():
        np.testing.assert_allclose(gcn(x)[0].numpy(), expected, atol=1e-12)


def test_a_position_is_connected_with_its_whole_window_and_no_further():
    gcn = GlobalConvolution(1, 1, 5)
    for parameter in gcn.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1)
    x = torch.zeros(1, 1, 11, 13, requires_grad=True)
    gcn(x)[0, 0, 5, 6].backward()
    window = torch.zeros(11, 13, dtype=torch.bool)
    window[3:8, 4:9] = True
    assert torch.equal(x.grad[0, 0] != 0, window)


def test_a_large_kernel_costs_two_lines_and_not_a_square():
    count = sum(p.numel() for p in GlobalConvolution(24, 16, 15).parameters())
    assert count == 2 * (15 * 24 * 16 + 16 + 15 * 16 * 16 + 16)


@torch.no_grad()
def test_the_refinement_adds_to_what_it_gets():
    torch.manual_seed(0)
    refinement = BoundaryRefinement(3)
    first, _, second = refinement.residual
    maps = torch.randn(2, 3, 5, 6)
    inner = F.unfold(maps, 3, padding=1).transpose(1, 2) @ first.weight.flatten(1).T + first.bias
    inner = inner.clamp(min=0).transpose(1, 2).unflatten(2, (5, 6))
    correction = F.unfold(inner, 3, padding=1).transpose(1, 2) @ second.weight.flatten(1).T + second.bias
    torch.testing.assert_close(refinement(maps), maps + correction.transpose(1, 2).unflatten(2, (5, 6)))


@torch.no_grad()
def test_adds_from_coarse_to_fine_and_refines_every_sum():
    torch.manual_seed(0)
    decoder = GlobalConvolutionDecoder((3, 5, 7), 6, kernel=5)
    looked = [look(maps) for look, maps in zip(decoder.look, (*LOWS, HIGH), strict=True)]
    expected = looked[3]
    for index in (2, 1, 0):
        finer = F.interpolate(expected, looked[index].shape[-2:], mode="bilinear", align_corners=False)
        expected = decoder.refine[index](looked[index] + finer)
    out = decoder(LOWS, HIGH)
    assert out.fused.shape == (2, 6, 16, 20)
    assert out.sides == {}
    torch.testing.assert_close(out.fused, expected)


@pytest.mark.parametrize("kernel", [4, 0, -1])
def test_says_what_is_wrong(kernel):
    with pytest.raises(UsageError, match=f"the kernel of the global convolution is {kernel}; an odd size was expected"):
        GlobalConvolutionDecoder((3, 5), 6, kernel=kernel)
