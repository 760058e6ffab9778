"""Global pooling against the words of ParseNet, one position at a time."""

import pytest
import torch
from torch import nn

from attseg.context.global_pooling import GlobalPoolingContext, UnitLength


def naive(context, x, normalize):
    """Sections 3.2 and 3.3: pool, normalise and scale each vector, put one beside the other, merge."""
    channels, height, width = x.shape
    pooled = torch.stack([x[c].sum() / (height * width) for c in range(channels)])
    conv, norm, _ = context.merge
    out = torch.zeros(conv.out_channels, height, width, dtype=x.dtype)
    for i in range(height):
        for j in range(width):
            here, whole = x[:, i, j], pooled
            if normalize:
                here = context.here.scale.flatten() * here / here.norm()
                whole = context.whole.scale.flatten() * whole / whole.norm()
            merged = conv.weight[:, :, 0, 0] @ torch.cat([here, whole])
            out[:, i, j] = (merged - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    return out.clamp(min=0)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("size", [(3, 4), (1, 1), (5, 2)])
def test_equals_loops(size, normalize):
    torch.manual_seed(0)
    context = GlobalPoolingContext(6, 4, normalize=normalize).double()
    for parameter in context.parameters():
        if parameter.ndim != 1:
            nn.init.normal_(parameter)
    for values in (context.merge[1].running_mean, context.merge[1].running_var):
        nn.init.uniform_(values, 0.5, 2)
    context.eval()
    x = torch.randn(2, 6, *size, dtype=torch.float64)
    with torch.no_grad():
        for one, expected in zip(context(x), x, strict=True):
            torch.testing.assert_close(one, naive(context, expected, normalize), atol=1e-5, rtol=1e-5)


def test_normalisation_gives_the_scale_as_length_and_starts_at_20():
    torch.manual_seed(0)
    unit = UnitLength(6)
    lengths = unit(10 ** torch.linspace(0, 4, 35).view(1, 1, 5, 7) * torch.randn(1, 6, 5, 7)).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((1, 5, 7), 20.0), atol=1e-3, rtol=0)


def test_zeros_stay_zero_and_keep_a_bounded_gradient():
    unit = UnitLength(3)
    x = torch.zeros(1, 3, 2, 2, requires_grad=True)
    out = unit(x)
    out.sum().backward()
    assert not out.any()
    assert x.grad.abs().max() <= 20 * 1000 * 1.01


@pytest.mark.parametrize("normalize", [False, True])
def test_trains_on_a_single_picture_and_position(normalize):
    context = GlobalPoolingContext(6, 4, normalize=normalize)
    for size in ((1, 1), (3, 5)):
        context.zero_grad()
        context(torch.randn(1, 6, *size)).sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in context.parameters())


def test_parameters_follow_from_the_options():
    def count(**options):
        return sum(p.numel() for p in GlobalPoolingContext(24, 8, **options).parameters())

    assert count() == 48 * 8 + 2 * 8
    assert count(kernel=3) == 48 * 8 * 9 + 2 * 8
    assert count(normalize=True) == count() + 2 * 24
