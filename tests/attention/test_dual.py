"""DANet's two mechanisms against loops over positions and channels."""

import pytest
import torch

from attseg import capture
from attseg.attention.dual import ChannelSelfAttention, PositionSelfAttention
from attseg.errors import UsageError

X = torch.randn(2, 4, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_positions_gather_from_all_by_likeness():
    torch.manual_seed(0)
    attention = PositionSelfAttention(4, reduction=2).double()
    torch.nn.init.constant_(attention.scale, 0.7)
    query, key, value = (part(X).flatten(2) for part in (attention.query, attention.key, attention.value))
    expected, weights = X.clone().flatten(2), torch.zeros(2, 6, 6, dtype=X.dtype)
    for n in range(2):
        for target in range(6):
            shares = torch.stack([query[n, :, target] @ key[n, :, source] for source in range(6)]).softmax(0)
            weights[n, :, target] = shares
            for source in range(6):
                expected[n, :, target] += 0.7 * shares[source] * value[n, :, source]
    torch.testing.assert_close(attention(X), expected.view_as(X))
    with capture(attention) as maps:
        torch.testing.assert_close(attention(X), expected.view_as(X))
    assert (maps[0].mechanism, maps[0].kind) == ("danet-position", "pairwise")
    torch.testing.assert_close(maps[0].weights, weights.view(2, 6, 3, 2))
    torch.testing.assert_close(
        attention.pair_weights(X).of([(2, 1)])[:, 0], maps[0].weights[:, :, 2, 1].unflatten(1, (3, 2))
    )


@pytest.mark.parametrize("by", ["likeness", "unlikeness"])
def test_channels_gather_from_all(by):
    attention = ChannelSelfAttention(by=by).double()
    torch.nn.init.constant_(attention.scale, 0.7)
    flat = X.flatten(2)
    expected, weights = flat.clone(), torch.zeros(2, 4, 4, dtype=X.dtype)
    for n in range(2):
        for target in range(4):
            products = torch.stack([flat[n, target] @ flat[n, source] for source in range(4)])
            shares = (products if by == "likeness" else products.max() - products).softmax(0)
            weights[n, :, target] = shares
            for source in range(4):
                expected[n, target] += 0.7 * shares[source] * flat[n, source]
    torch.testing.assert_close(attention(X), expected.view_as(X))
    with capture(attention) as maps:
        attention(X)
    assert (maps[0].mechanism, maps[0].kind) == ("danet-channel", "channel-pairs")
    torch.testing.assert_close(maps[0].weights, weights)
    torch.testing.assert_close(maps[0].weights.sum(1), torch.ones(2, 4, dtype=X.dtype))


def test_both_begin_as_identities():
    torch.testing.assert_close(PositionSelfAttention(4).double()(X), X)
    torch.testing.assert_close(ChannelSelfAttention()(X), X)


def test_bad_arguments_get_a_sentence():
    with pytest.raises(UsageError, match="did you mean 'likeness'"):
        ChannelSelfAttention(by="likenes")
    with pytest.raises(UsageError, match="reduction of position attention is 0"):
        PositionSelfAttention(4, reduction=0)
