"""Object-contextual attention against equations 8 to 10, position by position."""

import pytest
import torch

from attseg import capture
from attseg.attention.object import ObjectAttention
from attseg.errors import UsageError


def test_it_is_what_loops_give():
    torch.manual_seed(0)
    attention = ObjectAttention(4, inner=3).double().eval()
    x, coarse = torch.randn(2, 4, 2, 3, dtype=torch.float64), torch.randn(2, 5, 2, 3, dtype=torch.float64)
    expected = torch.zeros(2, 3, 2, 3, dtype=torch.float64)
    regions, weights = torch.zeros_like(coarse), torch.zeros_like(coarse)
    query = attention.query(x)
    for n in range(2):
        vectors = []
        for k in range(5):
            shares = coarse[n, k].flatten().softmax(0).view(2, 3)
            regions[n, k] = shares
            vectors.append(sum(shares[i, j] * x[n, :, i, j] for i in range(2) for j in range(3)))
        vectors = torch.stack(vectors, 1)[None, :, :, None]  # (1, C, K, 1)
        key, value = attention.key(vectors)[0, :, :, 0], attention.value(vectors)[0, :, :, 0]
        for i in range(2):
            for j in range(3):
                shares = torch.stack([query[n, :, i, j] @ key[:, k] / 3**0.5 for k in range(5)]).softmax(0)
                weights[n, :, i, j] = shares
                expected[n, :, i, j] = sum(shares[k] * value[:, k] for k in range(5))
    with capture(attention) as maps:
        torch.testing.assert_close(attention(x, coarse), attention.restore(expected))
    assert [(one.mechanism, one.kind) for one in maps] == [("ocr-regions", "spatial"), ("ocr", "class")]
    torch.testing.assert_close(maps[0].weights, regions)
    torch.testing.assert_close(maps[1].weights, weights)


def test_no_inner_channels_are_refused():
    with pytest.raises(UsageError, match="inner channels of object attention are 0"):
        ObjectAttention(4, inner=0)
