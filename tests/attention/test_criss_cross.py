"""Criss-cross attention against loops over every position's row and column."""

import pytest
import torch

from attseg import capture
from attseg.attention.criss_cross import CrissCrossAttention
from attseg.errors import UsageError
from attseg.explain.looked import look
from attseg.models import FCN


def build(channels=4, **options):
    torch.manual_seed(0)
    attention = CrissCrossAttention(channels, **({"reduction": 2} | options)).double()
    torch.nn.init.constant_(attention.scale, 0.7)
    return attention


def naive_pass(attention, x):
    """Equations 1 and 2, and the weights of all pairs (sources, targets)."""
    n, _, height, width = x.shape
    query, key, value = attention.query(x), attention.key(x), attention.value(x)
    out, weights = torch.zeros_like(x), torch.zeros(n, height * width, height, width, dtype=x.dtype)
    for item in range(n):
        for i in range(height):
            for j in range(width):
                cross = [(i, other) for other in range(width)] + [(other, j) for other in range(height) if other != i]
                scores = torch.stack([query[item, :, i, j] @ key[item, :, y, x_] for y, x_ in cross])
                for (y, x_), share in zip(cross, scores.softmax(0), strict=True):
                    out[item, :, i, j] += share * value[item, :, y, x_]
                    weights[item, y * width + x_, i, j] = share
    return x + attention.scale * out, weights


@pytest.mark.parametrize("size", [(3, 4), (1, 5), (4, 1), (1, 1)])
@pytest.mark.parametrize("recurrence", [1, 2, 3])
def test_it_is_what_loops_give(size, recurrence):
    attention = build(recurrence=recurrence)
    x = torch.randn(2, 4, *size, dtype=torch.float64)
    expected, weights = x, []
    for _ in range(recurrence):
        expected, found = naive_pass(attention, expected)
        weights.append(found)
    torch.testing.assert_close(attention(x), expected)
    with capture(attention) as maps:
        torch.testing.assert_close(attention(x), expected)
    assert [one.name for one in maps] == [f"passes.{place}.attention" for place in range(recurrence)]
    for one, found in zip(maps, weights, strict=True):
        assert (one.mechanism, one.kind, one.direction) == ("criss-cross", "pairwise", "collect")
        torch.testing.assert_close(one.weights, found)


def test_two_passes_reach_every_position():
    attention = build()
    x = torch.randn(1, 4, 4, 5, dtype=torch.float64, requires_grad=True)
    attention(x)[0, :, 0, 0].sum().backward()
    assert (x.grad.abs().sum(1) > 0).all()
    once = build(recurrence=1)
    x.grad = None
    once(x)[0, :, 0, 0].sum().backward()
    assert not x.grad[0, :, 1:, 1:].any()


def test_points_are_those_of_the_map():
    torch.manual_seed(0)
    model = FCN(3, encoder="test_resnet", channels=8, context="ccnet").eval()
    images = torch.randn(1, 3, 64, 96)
    pairs = look(model, images).pairs
    with torch.no_grad(), capture(model) as maps:
        model(images)
    assert len(pairs) == 2
    for one, whole in zip(pairs, maps, strict=True):
        height, width = whole.weights.shape[2:]
        found = torch.from_numpy(one.at([(40, 20)])[0])
        torch.testing.assert_close(found, whole.weights[0, :, 20 * height // 64, 40 * width // 96].view(height, width))


@pytest.mark.parametrize("options", [{"reduction": 0}, {"recurrence": 0}])
def test_nothing_below_one(options):
    with pytest.raises(UsageError, match="at least 1 was expected"):
        CrissCrossAttention(4, **options)
