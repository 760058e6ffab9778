"""Every context brings the deepest map to the channels that were asked for."""

from typing import get_args

import pytest
import torch

from attseg.context import ContextName, build_context
from attseg.errors import UsageError


@pytest.mark.parametrize("name", get_args(ContextName))
@pytest.mark.parametrize("size", [(2, 5, 7), (1, 1, 1)], ids=str)
def test_keeps_the_size_and_sets_the_channels(name, size):
    n, h, w = size
    context = build_context(name, 24, 8).train()
    out = context(torch.randn(n, 24, h, w))
    out.sum().backward()
    assert out.shape == (n, 8, h, w)
    assert all(p.grad is not None for p in context.parameters())


def test_none_is_a_linear_map_of_channels_before_its_norm():
    torch.manual_seed(0)
    context = build_context("none", 6, 4).eval()
    x = torch.randn(1, 6, 3, 3)
    expected = torch.einsum("oi,nihw->nohw", context[0].weight[:, :, 0, 0], x) / (1 + context[1].eps) ** 0.5
    torch.testing.assert_close(context(x), expected.clamp(min=0))


def test_unknown_contexts_are_named():
    with pytest.raises(UsageError, match="no context 'fpn'; did you mean 'fpa'"):
        build_context("fpn", 8, 8)
