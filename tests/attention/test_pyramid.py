"""FPA against a version with loops, written from figure 3b."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from attseg.attention.pyramid import FeaturePyramidAttention
from attseg.errors import UsageError

RNG = np.random.default_rng(0)


def naive_conv(x, conv):
    """Convolution that keeps the size, one output value after another."""
    weight = conv.weight.detach().numpy()
    c_out, c_in, k, _ = weight.shape
    h, w = x.shape[1:]
    padded = np.zeros((c_in, h + k - 1, w + k - 1))
    padded[:, k // 2 : k // 2 + h, k // 2 : k // 2 + w] = x
    out = np.zeros((c_out, h, w))
    for o in range(c_out):
        for i in range(h):
            for j in range(w):
                out[o, i, j] = (padded[:, i : i + k, j : j + k] * weight[o]).sum()
    return out if conv.bias is None else out + conv.bias.detach().numpy()[:, None, None]


def naive_norm(x, norm):
    mean, var = norm.running_mean.numpy()[:, None, None], norm.running_var.numpy()[:, None, None]
    weight, bias = norm.weight.detach().numpy()[:, None, None], norm.bias.detach().numpy()[:, None, None]
    return (x - mean) / np.sqrt(var + norm.eps) * weight + bias


def naive_block(x, block):
    return np.maximum(naive_norm(naive_conv(x, block[0]), block[1]), 0)


def naive_halve(x, pool):
    """Cells of two by two; the last of an odd side stands alone, and a side of one or two gives two."""
    rows, columns = (naive_cells(length) for length in x.shape[1:])
    out = np.zeros((x.shape[0], len(rows), len(columns)))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            cell = x[:, row][:, :, column]
            out[:, i, j] = cell.mean((1, 2)) if pool == "avg" else cell.max((1, 2))
    return out


def naive_cells(length):
    if length <= 2:
        return [[0], [length - 1]]
    return [[i, i + 1] if i + 1 < length else [i] for i in range(0, length, 2)]


def naive_resize(x, size):
    """Bilinear with half-pixel centres, clamped at the border."""
    (h, w), (height, width) = x.shape[1:], size
    out = np.zeros((x.shape[0], height, width))
    for i in range(height):
        for j in range(width):
            y = min(max((i + 0.5) * h / height - 0.5, 0), h - 1)
            z = min(max((j + 0.5) * w / width - 0.5, 0), w - 1)
            y0, z0 = int(y), int(z)
            y1, z1 = min(y0 + 1, h - 1), min(z0 + 1, w - 1)
            top = x[:, y0, z0] * (1 - z + z0) + x[:, y0, z1] * (z - z0)
            low = x[:, y1, z0] * (1 - z + z0) + x[:, y1, z1] * (z - z0)
            out[:, i, j] = top * (1 - y + y0) + low * (y - y0)
    return out


def naive_fpa(x, fpa, pool):
    """The U of figure 3b for three levels, spelled out."""
    one = naive_block(naive_halve(x, pool), fpa.down[0])
    two = naive_block(naive_halve(one, pool), fpa.down[1])
    three = naive_block(naive_halve(two, pool), fpa.down[2])
    up = naive_block(three, fpa.lateral[2])
    up = naive_block(two, fpa.lateral[1]) + naive_resize(up, two.shape[1:])
    up = naive_block(one, fpa.lateral[0]) + naive_resize(up, one.shape[1:])
    weights = naive_resize(up, x.shape[1:])
    if isinstance(fpa.widen, nn.Conv2d):
        weights = naive_conv(weights, fpa.widen)
    out = naive_block(x, fpa.main) * weights
    if fpa.whole is None:
        return out
    whole = naive_conv(x.mean((1, 2), keepdims=True), fpa.whole)
    if fpa.merge is None:
        return out + whole
    return naive_block(np.concatenate([out, np.broadcast_to(whole, out.shape)]), fpa.merge)


def randomized(module):
    """Norms as after training, so that nothing hides behind zeros and ones."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values, low, high in (
                (layer.running_mean, -0.5, 0.5),
                (layer.running_var, 0.5, 2),
                (layer.weight.data, 0.5, 1.5),
                (layer.bias.data, -0.5, 0.5),
            ):
                values.copy_(torch.from_numpy(RNG.uniform(low, high, values.shape)))
    return module.double().eval()


@pytest.mark.parametrize("size", [(8, 8), (6, 6), (5, 9), (1, 1), (2, 13)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kernels": (3, 3, 3)},
        {"pool": "max"},
        {"global_branch": False},
        {"global_merge": "concat"},
        {"pyramid_channels": 4},
        {"pyramid_channels": 3, "pool": "max", "global_branch": False},
    ],
    ids=str,
)
def test_equals_loops(size, options):
    fpa = randomized(FeaturePyramidAttention(5, 4, **options))
    x = RNG.normal(size=(2, 5, *size))
    with torch.no_grad():
        out = fpa(torch.from_numpy(x)).numpy()
    for one, expected in zip(out, x, strict=True):
        np.testing.assert_allclose(one, naive_fpa(expected, fpa, options.get("pool", "avg")), atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(h=st.integers(1, 20), w=st.integers(1, 20), n=st.integers(1, 2))
def test_trains_at_any_size_and_batch(h, w, n):
    torch.manual_seed(0)
    fpa = FeaturePyramidAttention(3, 4)
    out = fpa(torch.randn(n, 3, h, w))
    out.square().mean().backward()
    assert out.shape == (n, 4, h, w)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in fpa.parameters())


def test_parameters_follow_from_the_options():
    def count(**options):
        return sum(p.numel() for p in FeaturePyramidAttention(64, 32, **options).parameters())

    main = 64 * 32 + 2 * 32
    whole = 64 * 32 + 32
    for kernels in ((7, 5, 3), (3, 3, 3)):
        k1, k2, k3 = (k * k for k in kernels)
        light = (64 * k1 + k2 + k3) + (k1 + k2 + k3) + 6 * 2
        assert count(kernels=kernels) == main + whole + light
        assert count(kernels=kernels, global_branch=False) == main + light
        assert count(kernels=kernels, global_merge="concat") == main + whole + light + 64 * 32 + 2 * 32
        wide = 32 * (64 * k1 + 32 * (k2 + k3)) + 32 * 32 * (k1 + k2 + k3) + 6 * 2 * 32
        assert count(kernels=kernels, pyramid_channels=32) == main + whole + wide
    assert count(pool="max") == count(pool="avg")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernels": (7, 4)}, r"kernels are \(7, 4\); odd sizes"),
        ({"kernels": ()}, "odd sizes were expected"),
        ({"global_merge": "concatenate"}, "did you mean 'concat'"),
        ({"pool": "median"}, "'avg' or 'max'"),
        ({"pyramid_channels": 0}, "pyramid_channels is 0"),
    ],
)
def test_says_what_is_wrong(options, message):
    with pytest.raises(UsageError, match=message):
        FeaturePyramidAttention(8, 8, **options)
