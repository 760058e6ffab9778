"""2DPAM against equations 9 and 10, position by position."""

import pytest
import torch

from attseg import capture
from attseg.attention.position import PositionAttention
from attseg.errors import UsageError


def trained(**options):
    """A module in evaluation whose weights and running statistics are those of no fresh one."""
    torch.manual_seed(0)
    module = PositionAttention(3, 4, **options).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    module.train()(torch.randn(4, 3, 6, 6).double(), torch.randn(4, 4, 6, 6).double())
    return module.eval()


def naive_block(vector, block):
    """1x1 convolution, normalisation and ReLU of the channels at one position."""
    conv, norm, _ = block
    value = (conv.weight[:, :, 0, 0] @ vector - norm.running_mean) / torch.sqrt(norm.running_var + norm.eps)
    return (value * norm.weight + norm.bias).clamp(min=0)


def naive_2dpam(module, low, context, confidence):
    """Equation 9 with a confidence that is computed anew at every position."""
    n, c, h, w = context.shape
    out = torch.empty(n, c, h, w).double()
    for picture in range(n):
        for i in range(h):
            for j in range(w):
                raw = low[picture, :, i, j]
                reduced = naive_block(raw, module.reduce)
                beta = 1.0
                if confidence != "none":
                    seen = torch.cat((raw if confidence == "raw" else reduced, context[picture, :, i, j]))
                    last = module.weigh[1]
                    value = (last.weight.flatten() * naive_block(seen, module.weigh[0])).sum() + last.bias[0]
                    beta = 1 / (1 + torch.exp(-value))
                out[picture, :, i, j] = beta * reduced
    return out


@pytest.mark.parametrize("confidence", ["raw", "reduced", "none"])
@pytest.mark.parametrize("size", [(6, 8), (5, 3), (1, 1)], ids=str)
@torch.no_grad()
def test_equals_the_equations(confidence, size):
    module = trained(confidence=confidence)
    low, context = torch.randn(2, 3, *size).double(), torch.randn(2, 4, *size).double()
    expected = naive_2dpam(module, low, context, confidence)
    torch.testing.assert_close(module(low, context), expected, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("confidence", ["raw", "reduced"])
def test_the_confidence_is_one_weight_a_position(confidence):
    module = trained(confidence=confidence)
    low, context = torch.randn(2, 3, 5, 7).double(), torch.randn(2, 4, 5, 7).double()
    with torch.no_grad(), capture(module) as maps:
        out = module(low, context)
    assert [(m.name, m.kind, tuple(m.weights.shape)) for m in maps] == [("attention", "spatial", (2, 1, 5, 7))]
    assert ((maps[0].weights > 0) & (maps[0].weights < 1)).all()
    torch.testing.assert_close(out, module.reduce(low) * maps[0].weights)


def test_the_context_moves_the_confidence_and_nothing_else():
    module = trained()
    low, context = torch.randn(1, 3, 4, 4).double(), torch.randn(1, 4, 4, 4).double()
    moved = context.clone()
    moved[0, :, 2, 1] += 3
    with torch.no_grad():
        changed = (module(low, moved) - module(low, context)).abs().sum(1)[0]
    assert changed[2, 1] > 0
    changed[2, 1] = 0
    assert not changed.any()


def test_without_confidence_there_is_no_tap():
    plain = PositionAttention(3, 4, confidence="none")
    with pytest.raises(RuntimeError, match="has no attention"), capture(plain):
        plain(torch.randn(1, 3, 2, 2), torch.randn(1, 4, 2, 2))


@pytest.mark.parametrize("confidence", ["raw", "reduced", "none"])
def test_trains_on_a_single_value(confidence):
    module = PositionAttention(3, 4, confidence=confidence)
    module(torch.randn(1, 3, 1, 1), torch.randn(1, 4, 1, 1)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


def test_parameters_follow_from_the_options():
    def count(confidence):
        return sum(p.numel() for p in PositionAttention(24, 16, confidence=confidence).parameters())

    assert count("none") == 24 * 16 + 2 * 16
    assert count("raw") == count("none") + (24 + 16) * 16 + 2 * 16 + 16 + 1
    assert count("reduced") == count("none") + (16 + 16) * 16 + 2 * 16 + 16 + 1


def test_says_what_is_wrong():
    with pytest.raises(UsageError, match="no setting of the confidence 'row'; did you mean 'raw'"):
        PositionAttention(3, 4, confidence="row")
