"""The global context block against the equation, position by position."""

import pytest
import torch
import torch.nn.functional as F

from attseg import capture
from attseg.attention.global_context import GlobalContext
from attseg.errors import UsageError


def test_it_adds_one_vector_pooled_by_a_softmax():
    torch.manual_seed(0)
    block = GlobalContext(6, reduction=2).double()
    x = torch.randn(2, 6, 3, 4, dtype=torch.float64)
    first, norm, _, last = block.transform
    for n in range(2):
        scores = [
            sum(block.weigh.weight[0, c, 0, 0] * x[n, c, i, j] for c in range(6)) for i in range(3) for j in range(4)
        ]
        shares = torch.stack(scores).softmax(0)
        pooled = sum(share * x[n, :, place // 4, place % 4] for place, share in enumerate(shares))
        hidden = first.weight[:, :, 0, 0] @ pooled + first.bias
        hidden = F.layer_norm(hidden, (4,), norm.weight.flatten(), norm.bias.flatten()).relu()
        added = last.weight[:, :, 0, 0] @ hidden + last.bias
        torch.testing.assert_close(block(x)[n], x[n] + added[:, None, None])


def test_the_weights_are_shares_of_the_picture():
    block = GlobalContext(6)
    with capture(block) as maps:
        block(torch.randn(2, 6, 3, 4))
    assert [(one.mechanism, one.kind, tuple(one.weights.shape)) for one in maps] == [("gc", "spatial", (2, 1, 3, 4))]
    torch.testing.assert_close(maps[0].weights.sum((2, 3)), torch.ones(2, 1))


def test_a_reduction_below_one_is_refused():
    with pytest.raises(UsageError, match="reduction of the global context block is 0"):
        GlobalContext(6, reduction=0)
