"""Every tap of every model can be differentiated and edited; pairs of positions that are too many never are built."""

import copy

import pytest
import torch

from attseg import capture
from attseg.attention import pairwise
from attseg.errors import UsageError
from watched import MODELS, build, pictures


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return build(request.param)


def test_gradients_reach_every_map(model):
    with capture(model, grad=True) as maps:
        model(pictures()).logits.square().sum().backward()
    assert maps
    for one in maps:
        assert one.weights.grad is not None, one.name
        assert one.weights.grad.isfinite().all()
        assert one.weights.grad.abs().sum() > 0, one.name


def test_gradients_of_maps_are_what_small_changes_do(model):
    """The derivative of the logits' sum along a map, against a difference of two edited passes."""
    model = copy.deepcopy(model).double()
    images = pictures().double()
    generator = torch.Generator().manual_seed(3)
    with capture(model, grad=True) as maps:
        model(images).logits.square().mean().backward()
    for one in maps:
        step = (
            torch.randn(one.weights.shape, generator=generator, dtype=torch.float64)
            * one.weights.detach().abs().mean()
            * 1e-5
        )
        with torch.no_grad():
            ends = []
            for sign in (1, -1):
                edit = {one.name: lambda weights, sign=sign, step=step: weights + sign * step}
                with capture(model, edit=edit):
                    ends.append(model(images).logits.square().mean())
        expected = float((one.weights.grad * step).sum())
        assert float(ends[0] - ends[1]) / 2 == pytest.approx(expected, rel=2e-2, abs=1e-12), one.name


def test_every_map_can_be_replaced_alone(model):
    with torch.no_grad():
        plain = model(pictures()).logits
        with capture(model) as maps:
            model(pictures())
        for one in maps:
            with capture(model, edit={one.name: torch.zeros_like}) as edited:
                changed = model(pictures()).logits
            zeroed = [other.name for other in edited if not other.weights.any()]
            assert one.name in zeroed and len(zeroed) == 1
            assert not torch.equal(changed, plain), one.name
            with capture(model, edit={one.name: lambda weights: weights}):
                torch.testing.assert_close(model(pictures()).logits, plain, atol=1e-4, rtol=1e-4)


def test_a_tap_that_is_passed_at_several_scales_is_edited_by_its_path_at_all():
    model = build("AttentionToRefine on PSANet")
    path = "base.context.psa.branches.collect.attention"
    with torch.no_grad(), capture(model, edit={path: torch.zeros_like}) as maps:
        model(pictures())
    assert [one.name for one in maps if not one.weights.any()] == [f"{path} at 100 %", f"{path} at 50 %"]
    with torch.no_grad(), capture(model, edit={f"{path} at 50 %": torch.zeros_like}) as maps:
        model(pictures())
    assert [one.name for one in maps if not one.weights.any()] == [f"{path} at 50 %"]


@pytest.mark.parametrize("name", ["PSANet", "PSANet compact", "FCN nonlocal", "FCN psa"])
@pytest.mark.parametrize("how", [{}, {"grad": True}, {"edit": True}])
def test_too_many_pairs_are_refused_and_not_built(name, how, monkeypatch):
    monkeypatch.setattr(pairwise, "MOST_WEIGHTS", 30)
    model = build(name)
    if how.get("edit"):
        how = {"edit": {next(n for n, m in model.named_modules() if type(m).__name__ == "Tap"): torch.zeros_like}}
    with (
        pytest.raises(RuntimeError, match=r"all pairs of \d+ x \d+ positions .* is not built.*look\("),
        capture(model, **how),
    ):
        model(pictures())


def test_a_constant_in_the_place_of_a_map_has_a_gradient_too():
    model = build("PAN")
    with capture(model, grad=True, edit={"context.pyramid": torch.ones_like}) as maps:
        model(pictures()).logits.sum().backward()
    assert maps[0].weights.grad.abs().sum() > 0


def test_an_edit_keeps_the_shape():
    model = build("PAN")
    message = r"the edit of 'context.pyramid' gave a map of shape \(1, 1, 2, 2\); \(1, 1, 4, 6\) was expected"
    with (
        pytest.raises(UsageError, match=message),
        capture(model, edit={"context.pyramid": lambda weights: weights[..., :2, :2]}),
    ):
        model(pictures())
