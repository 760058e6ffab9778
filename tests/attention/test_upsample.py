"""GAU against the four steps of figure 4, one at a time."""

import pytest
import torch
import torch.nn.functional as F

from attseg.attention.upsample import GlobalAttentionUpsample
from attseg.errors import UsageError
from attseg.explain.capture import capture


def naive_gau(gau, low, high, gate):
    """Figure 4, channel by channel and picture by picture, in evaluation."""
    conv, norm = gau.reduce
    skip = F.batch_norm(
        F.conv2d(low, conv.weight, padding=conv.weight.shape[-1] // 2),
        norm.running_mean,
        norm.running_var,
        norm.weight,
        norm.bias,
        eps=norm.eps,
    )
    out = F.interpolate(high, low.shape[-2:], mode="bilinear", align_corners=False).clone()
    for n in range(len(low)):
        pooled = torch.stack([channel.sum() / channel.numel() for channel in high[n]])
        if gau.context:
            point, norm = gau.weigh[0], gau.weigh[1]
            value = point.weight[:, :, 0, 0] @ pooled
            value = (value - norm.running_mean) / torch.sqrt(norm.running_var + norm.eps) * norm.weight + norm.bias
            weights = 1 / (1 + torch.exp(-value)) if gate == "sigmoid" else value.clamp(min=0)
        else:
            weights = torch.ones(high.shape[1], dtype=high.dtype)
        for c in range(high.shape[1]):
            out[n, c] += weights[c] * skip[n, c]
    return out


@pytest.mark.parametrize("gate", ["sigmoid", "relu"])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("context", [True, False])
@pytest.mark.parametrize("sizes", [((8, 12), (4, 6)), ((7, 5), (4, 3)), ((4, 4), (4, 4)), ((3, 9), (1, 1))])
def test_equals_the_figure(gate, kernel, context, sizes):
    torch.manual_seed(0)
    gau = GlobalAttentionUpsample(3, 5, context=context, kernel=kernel, gate=gate).double()
    for parameter in gau.parameters():
        torch.nn.init.normal_(parameter)
    gau.train()
    gau(torch.randn(4, 3, 6, 6).double(), torch.randn(4, 5, 3, 3).double())  # running statistics that matter
    gau.eval()
    low, high = torch.randn(2, 3, *sizes[0]).double(), torch.randn(2, 5, *sizes[1]).double()
    with torch.no_grad():
        torch.testing.assert_close(gau(low, high), naive_gau(gau, low, high, gate), atol=1e-12, rtol=1e-12)


def test_trains_on_a_single_picture():
    gau = GlobalAttentionUpsample(3, 5)
    gau(torch.randn(1, 3, 4, 4), torch.randn(1, 5, 2, 2)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in gau.parameters())


@pytest.mark.parametrize("sizes", [((5, 4), (3, 2)), ((3, 3), (3, 3))])
def test_adding_in_place_changes_neither_input_and_no_gradient(sizes):
    gau = GlobalAttentionUpsample(3, 2).double().eval()
    low, high = (torch.randn(2, c, *size, dtype=torch.float64) for c, size in zip((3, 2), sizes, strict=True))
    before = low.clone(), high.clone()
    gau(low, high)
    assert torch.equal(low, before[0]) and torch.equal(high, before[1])
    assert torch.autograd.gradcheck(gau, (low.requires_grad_(), high.requires_grad_()))


def test_parameters_follow_from_the_options():
    def count(**options):
        return sum(p.numel() for p in GlobalAttentionUpsample(24, 16, **options).parameters())

    assert count() == 24 * 16 * 9 + 2 * 16 + 16 * 16 + 2 * 16
    assert count(kernel=1) == 24 * 16 + 2 * 16 + 16 * 16 + 2 * 16
    assert count(context=False) == 24 * 16 * 9 + 2 * 16
    assert count(gate="relu") == count()


def test_only_guidance_has_a_tap():
    low, high = torch.randn(2, 3, 4, 4), torch.randn(2, 5, 2, 2)
    guided = GlobalAttentionUpsample(3, 5)
    with capture(guided) as maps:
        guided(low, high)
    assert [(m.name, m.kind, tuple(m.weights.shape)) for m in maps] == [("attention", "channel", (2, 5, 1, 1))]
    assert ((maps[0].weights > 0) & (maps[0].weights < 1)).all()
    plain = GlobalAttentionUpsample(3, 5, context=False)
    with pytest.raises(RuntimeError, match="has no attention"), capture(plain):
        plain(low, high)


@pytest.mark.parametrize(
    ("options", "message"), [({"kernel": 2}, "is 2; 1 or 3"), ({"gate": "tanh"}, "'tanh'; 'sigmoid' or 'relu'")]
)
def test_says_what_is_wrong(options, message):
    with pytest.raises(UsageError, match=message):
        GlobalAttentionUpsample(3, 5, **options)
