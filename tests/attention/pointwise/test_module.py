"""The PSA module: what its parts are, at any size, watched and not."""

import pytest
import torch

from attseg import capture
from attseg.attention import pairwise
from attseg.attention.pointwise import reference
from attseg.attention.pointwise.module import PointwiseSpatialAttention
from attseg.errors import UsageError
from attseg.layers import resize


def build(**options):
    torch.manual_seed(0)
    return PointwiseSpatialAttention(**({"channels": 6, "reach": (4, 5), "inner": 4} | options))


def maps(n=2, h=7, w=9, seed=0):
    return torch.randn(n, 6, h, w, generator=torch.Generator().manual_seed(seed))


def branch_by_hand(branch, reduced):
    features = branch.adapt(reduced)
    return reference.point_attention(
        reduced,
        features,
        branch.filters,
        direction=branch.direction,
        normalize=branch.normalize,
        outside=branch.outside,
    )


@pytest.mark.parametrize("normalize", ["softmax", "count"])
@pytest.mark.parametrize("shrink", [1, 2, 3])
def test_reduce_shrink_attend_project_grow(shrink, normalize):
    psa, x = build(shrink=shrink, normalize=normalize).eval(), maps()
    size = ((7 - 1) // shrink + 1, (9 - 1) // shrink + 1)
    gathered = [branch_by_hand(b, resize(b.reduce(x), size)) for b in psa.branches.values()]
    expected = resize(psa.project(torch.cat(gathered, 1)), (7, 9))
    torch.testing.assert_close(psa(x), expected, atol=1e-5, rtol=1e-4)


def test_collect_comes_before_distribute_however_they_are_named():
    assert list(build(directions=("distribute", "collect")).branches) == ["collect", "distribute"]
    assert list(build(directions=("distribute",)).branches) == ["distribute"]


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("normalize", ["softmax", "count", "none"])
def test_watching_shows_all_weights_and_changes_nothing(compact, normalize):
    psa, x = build(compact=compact, normalize=normalize, shrink=1).eval(), maps()
    plain = psa(x)
    with capture(psa) as seen:
        torch.testing.assert_close(psa(x), plain, atol=1e-5, rtol=1e-4)
    assert [one.name for one in seen] == ["branches.collect.attention", "branches.distribute.attention"]
    assert {one.kind for one in seen} == {"pairwise"}
    assert {tuple(one.weights.shape) for one in seen} == {(2, 63, 7, 9)}
    if normalize == "softmax":
        for one in seen:
            torch.testing.assert_close(one.weights.sum(1), torch.ones(2, 7, 9))


def test_what_is_watched_can_be_changed():
    psa, x = build(directions=("collect",), shrink=1).eval(), maps()
    with capture(psa, edit={"branches.collect.attention": torch.zeros_like}):
        out = psa(x)
    torch.testing.assert_close(out, psa.project(torch.zeros(2, 4, 7, 9)))


def test_too_many_weights_are_refused_with_a_way_out(monkeypatch):
    monkeypatch.setattr(pairwise, "MOST_WEIGHTS", 100)
    psa = build().eval()
    psa(maps())
    with pytest.raises(RuntimeError, match=r"all pairs of 4 x 5 positions .*look\("), capture(psa):
        psa(maps())


@pytest.mark.parametrize("compact", [False, True])
def test_weights_of_points_are_rows_of_what_watching_shows(compact):
    psa, x = build(compact=compact).eval(), maps()
    with capture(psa) as seen:
        psa(x)
    points = [(0, 0), (3, 2)]
    found = {key: branch.pair_weights(psa._shrunk(branch.reduce(x))).of(points) for key, branch in psa.branches.items()}
    collect, distribute = (one.weights for one in seen)  # (N, 20 sources, 4, 5 targets)
    for place, (y, row_x) in enumerate(points):
        torch.testing.assert_close(found["collect"][:, place], collect[:, :, y, row_x].unflatten(1, (4, 5)))
        torch.testing.assert_close(found["distribute"][:, place], distribute[:, y * 5 + row_x])


def test_compact_filters_speak_of_places():
    psa, x = build(compact=True, shrink=1, directions=("collect",), reach=(6, 8)).eval(), maps()
    branch = psa.branches["collect"]
    values = branch.reduce(x)
    scores = torch.einsum(
        "dyx,ndkl->nyxkl", branch.filters, branch.adapt(values)
    )  # the mask of the released code, by channel
    weights = scores.flatten(1, 2).softmax(1)
    expected = torch.einsum("ncs,nskl->nckl", values.flatten(2), weights)
    torch.testing.assert_close(branch(values), expected, atol=1e-5, rtol=1e-4)


def test_compact_distribute_is_collect_with_its_scores_turned_over():
    psa, x = build(compact=True, shrink=1, directions=("distribute",), reach=(6, 8)).eval(), maps()
    branch = psa.branches["distribute"]
    values = branch.reduce(x)
    scores = torch.einsum("dyx,ndkl->nklyx", branch.filters, branch.adapt(values))  # source k, l speaks of target y, x
    weights = scores.flatten(1, 2).softmax(1)
    torch.testing.assert_close(
        branch(values), torch.einsum("ncs,nsyx->ncyx", values.flatten(2), weights), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("options", [{}, {"compact": True}, {"outside": "zero"}, {"normalize": "count"}], ids=str)
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (5, 30), (13, 8)], ids=str)
def test_any_size_trains(options, size):
    psa = build(**options).train()
    x = maps(1, *size).requires_grad_()
    psa(x).square().sum().backward()
    assert x.grad.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in psa.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"directions": ()}, r"the directions are \(\)"),
        ({"directions": ("collect", "collect")}, "one or two different ones"),
        ({"directions": ("gather",)}, "no direction 'gather'"),
        ({"normalize": "mean"}, "no normalisation 'mean'"),
        ({"shrink": 0}, "shrink 0"),
        ({"reach": (-1, 2)}, r"reach \(-1, 2\)"),
    ],
)
def test_bad_arguments_get_a_sentence(options, message):
    with pytest.raises(UsageError, match=message):
        build(**options)
