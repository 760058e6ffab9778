"""The maps of points are rows of all weights, at a fraction of the cost."""

import itertools

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from attseg.attention.pointwise import attention_maps, reference, source_sums
from attseg.errors import UsageError

POINTS = [(0, 0), (3, 2), (5, 6), (3, 2)]


def tensors(size=(6, 7), filters=(9, 5), dtype=torch.float64):
    draw = torch.Generator().manual_seed(1)
    return torch.randn(2, 4, *size, generator=draw, dtype=dtype), torch.randn(4, *filters, generator=draw, dtype=dtype)


@pytest.mark.parametrize("direction", ["collect", "distribute"])
@pytest.mark.parametrize(
    "terms", list(itertools.product(("softmax", "count", "none"), ("exclude", "zero"))), ids="-".join
)
@pytest.mark.parametrize("filters", [(9, 5), (13, 15), (1, 3)], ids=str)
def test_maps_are_rows_of_the_weights(direction, terms, filters):
    features, bank = tensors(filters=filters)
    chosen = dict(zip(("normalize", "outside"), terms, strict=True))
    weights = reference.weights(features, bank, direction=direction, **chosen)  # (N, sources, targets)
    places = [y * 7 + x for y, x in POINTS]
    rows = weights[:, :, places].transpose(1, 2) if direction == "collect" else weights[:, places]
    maps = attention_maps(features, bank, direction=direction, points=POINTS, **chosen)
    torch.testing.assert_close(maps, rows.unflatten(2, (6, 7)), atol=1e-12, rtol=1e-10)


def test_sums_can_be_kept_for_further_points():
    features, bank = tensors()
    sums = source_sums(features, bank)
    scores = reference.scores(features, bank, direction="distribute")[0]
    inside = reference.scores(torch.ones_like(features), torch.ones_like(bank), direction="distribute")[1]
    expected = scores.masked_fill(~inside, -torch.inf).logsumexp(1).unflatten(1, (6, 7))
    torch.testing.assert_close(sums, expected, atol=1e-10, rtol=1e-10)
    with_sums = attention_maps(features, bank, direction="distribute", points=POINTS, sums=sums)
    torch.testing.assert_close(with_sums, attention_maps(features, bank, direction="distribute", points=POINTS))


@pytest.mark.parametrize(
    ("direction", "normalize"), [("collect", "softmax"), ("distribute", "none"), ("distribute", "count")]
)
def test_a_point_costs_a_point(direction, normalize):
    features, bank = tensors(size=(40, 40), filters=(79, 79), dtype=torch.float32)
    with FlopCounterMode(display=False) as counter:
        attention_maps(features, bank, direction=direction, points=[(3, 4)], normalize=normalize)
    assert 0 < counter.get_total_flops() <= 2 * 2 * 4 * 40 * 40


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "no point was given"),
        ([(6, 0)], r"the point \(6, 0\) \(row, column\) lies outside the map, which has 6 rows and 7 columns"),
        ([(0, 0), (0, -1)], r"the point \(0, -1\)"),
    ],
)
def test_bad_points_get_a_sentence(points, message):
    features, bank = tensors()
    with pytest.raises(UsageError, match=message):
        attention_maps(features, bank, direction="collect", points=points)
