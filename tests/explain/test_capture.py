"""Watching maps changes nothing, and what cannot be seen is an error."""

import copy

import pytest
import torch
from torch import nn

from attseg import capture
from attseg.errors import UsageError
from attseg.models import FCN, PAN

IMAGES = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
TAPS = ["context.pyramid", "decoder.steps.2.attention", "decoder.steps.1.attention", "decoder.steps.0.attention"]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return PAN(5, encoder="test_resnet", channels=16).eval()


def test_maps_come_in_the_order_of_the_forward_pass_and_change_nothing(model):
    plain = model(IMAGES).logits
    with capture(model) as maps:
        watched = model(IMAGES).logits
    assert torch.equal(plain, watched)
    assert [m.name for m in maps] == TAPS
    assert [m.kind for m in maps] == ["spatial", "channel", "channel", "channel"]
    assert tuple(maps[0].weights.shape) == (2, 1, 4, 6)
    assert not maps[0].weights.requires_grad


def test_hooks_are_gone_afterwards_also_after_an_error(model):
    with pytest.raises(ZeroDivisionError), capture(model):
        raise ZeroDivisionError
    assert not any(module._forward_hooks for module in model.modules())
    copy.deepcopy(model)


def test_edit_replaces_a_map(model):
    with torch.no_grad(), capture(model, edit={"context.pyramid": torch.zeros_like}) as maps:
        edited = model(IMAGES).logits
    assert not maps[0].weights.any()
    assert not torch.equal(edited, model(IMAGES).logits)
    with capture(model, edit={"context.pyramid": lambda weights: weights}):
        assert torch.equal(model(IMAGES).logits, model(IMAGES).logits)


def test_gradients_reach_the_maps(model):
    with capture(model, grad=True) as maps:
        model(IMAGES).logits[:, 2].mean().backward()
    assert all(m.weights.grad is not None for m in maps)
    assert any(m.weights.grad.abs().sum() > 0 for m in maps)


def test_an_empty_capture_says_why(model):
    with (
        pytest.raises(RuntimeError, match="none of the 4 taps of this PAN was passed: run the model inside"),
        capture(model),
    ):
        pass
    baseline = FCN(5, encoder="test_resnet", channels=16).eval()
    with pytest.raises(RuntimeError, match="this FCN has no attention"), capture(baseline):
        baseline(IMAGES)
    with pytest.raises(RuntimeError, match="this Conv2d has no attention"), capture(nn.Conv2d(3, 3, 1)):
        pass


def test_unknown_taps_are_named(model):
    message = "no tap 'context.piramid'; did you mean 'context.pyramid'"
    with pytest.raises(UsageError, match=message), capture(model, edit={"context.piramid": torch.zeros_like}):
        pass
