"""The non-local operation against loops written from its equations, watched and unwatched."""

import math

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from attseg import capture
from attseg.attention.non_local import NonLocal
from attseg.errors import UsageError


def build(channels=5, inner=3, seed=0):
    torch.manual_seed(seed)
    mechanism = NonLocal(channels, inner=inner).double()
    norm = mechanism.norm
    for values, low, high in ((norm.running_mean, -1, 1), (norm.running_var, 0.5, 2), (norm.weight, 0.5, 2)):
        nn.init.uniform_(values, low, high)
    return mechanism.eval()


def naive(mechanism, x):
    """Equations 1, 3 and 6, one position after another; gives the weights of every target too."""
    at = [(row, column) for row in range(x.shape[1]) for column in range(x.shape[2])]

    def embed(conv, place):
        return conv.weight[:, :, 0, 0] @ x[:, place[0], place[1]] + conv.bias

    conv, norm = mechanism.restore, mechanism.norm
    out, weights = torch.zeros_like(x), torch.zeros(len(at), *x.shape[1:], dtype=x.dtype)
    for target in at:
        asks = embed(mechanism.theta, target)
        alike = [math.exp(float(asks @ embed(mechanism.phi, source))) for source in at]
        summed = sum(a * embed(mechanism.g, source) for a, source in zip(alike, at, strict=True)) / sum(alike)
        weights[:, target[0], target[1]] = torch.tensor(alike) / sum(alike)
        restored = conv.weight[:, :, 0, 0] @ summed
        scaled = (restored - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
        out[:, target[0], target[1]] = scaled
    return out, weights


class Largest(TorchDispatchMode):
    """The number of values in the largest tensor that an operation gave."""

    def __init__(self):
        super().__init__()
        self.values = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for each in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(each, torch.Tensor):
                self.values = max(self.values, each.numel())
        return out


@pytest.mark.parametrize("size", [(1, 1), (3, 4), (5, 2)])
def test_equals_loops(size):
    mechanism = build()
    x = torch.randn(2, 5, *size, dtype=torch.float64)
    with torch.no_grad():
        unwatched = mechanism(x)
        with capture(mechanism) as maps:
            watched = mechanism(x)
        for index, one in enumerate(x):
            expected, weights = naive(mechanism, one)
            torch.testing.assert_close(unwatched[index], expected)
            torch.testing.assert_close(watched[index], expected)
            torch.testing.assert_close(maps[0].weights[index], weights)


def test_the_tap_holds_the_sources_of_every_target():
    mechanism = build()
    with capture(mechanism) as maps:
        mechanism(torch.randn(2, 5, 4, 6, dtype=torch.float64))
    assert [(m.name, m.kind, tuple(m.weights.shape)) for m in maps] == [("attention", "pairwise", (2, 24, 4, 6))]
    torch.testing.assert_close(maps[0].weights.sum(1), torch.ones(2, 4, 6, dtype=torch.float64))


def test_editing_the_map_changes_the_result():
    mechanism = build()
    x = torch.randn(1, 5, 3, 4, dtype=torch.float64)

    def only_the_last(weights):
        edited = torch.zeros_like(weights)
        edited[:, -1] = 1
        return edited

    with capture(mechanism, edit={"attention": only_the_last}):
        out = mechanism(x)
    expected = mechanism.norm(mechanism.restore(mechanism.g(x)[:, :, -1:, -1:].expand(1, 3, 3, 4)))
    torch.testing.assert_close(out, expected)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_whole_map_is_built_only_while_watched(layout):
    mechanism = NonLocal(4, inner=8).to(memory_format=layout)
    x = torch.randn(1, 4, 24, 24).to(memory_format=layout)
    pairs = (24 * 24) ** 2
    with Largest() as largest:
        mechanism(x).square().sum().backward()
    assert largest.values < pairs / 10
    with capture(mechanism), Largest() as largest:
        mechanism(x)
    assert largest.values == pairs


def test_watched_and_unwatched_training_agree():
    mechanism = build().train()
    x = torch.randn(2, 5, 6, 7, dtype=torch.float64)
    mechanism(x).pow(3).sum().backward()
    unwatched = [p.grad.clone() for p in mechanism.parameters()]
    mechanism.zero_grad()
    with capture(mechanism, grad=True) as maps:
        mechanism(x).pow(3).sum().backward()
    assert maps[0].weights.grad.abs().sum() > 0
    for one, other in zip(mechanism.parameters(), unwatched, strict=True):
        torch.testing.assert_close(one.grad, other)


def test_trains_on_one_position():
    mechanism = NonLocal(4, inner=2)
    mechanism(torch.randn(1, 4, 1, 1)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in mechanism.parameters())


def test_says_what_is_wrong():
    with pytest.raises(UsageError, match="inner channels are 0; at least 1"):
        NonLocal(4, inner=0)
