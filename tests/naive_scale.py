"""What the tests of scale fusion share: score maps, stages, and layers that are computed one output value after another."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

K, SIZE = 3, (7, 9)
CHANNELS = (2, 3, 4)
STRIDES = (1, 2, 2)


def inputs(scales, n=2, size=SIZE):
    """Score maps of one size, and the stages of each scale: every next scale has half the size of the one before."""
    generator = torch.Generator().manual_seed(scales)

    def draw(channels, *sides):
        return torch.randn(n, channels, *sides, dtype=torch.float64, generator=generator)

    scores, stages = [], []
    for scale in range(scales):
        scores.append(draw(K, *size))
        sides = [-(-side // 2**scale) for side in size]
        stages.append([draw(c, *(-(-s // stride) for s in sides)) for c, stride in zip(CHANNELS, STRIDES, strict=True)])
    return scores, stages


def randomized(module):
    """Weights and norms as after training, so that nothing hides behind zeros and ones."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.uniform_(-0.5, 0.5, generator=generator)
                layer.running_var.uniform_(0.5, 2, generator=generator)
                layer.weight.uniform_(0.5, 1.5, generator=generator)
                layer.bias.uniform_(-0.5, 0.5, generator=generator)
    return module.double().eval()


def fit(maps, size):
    """One picture's maps (C, h, w) at another size, bilinearly."""
    return F.interpolate(torch.from_numpy(maps)[None], tuple(size), mode="bilinear", align_corners=False)[0].numpy()


def dilated(x, conv):
    """A dilated convolution that keeps the size; what lies outside is zero."""
    weight, step = conv.weight.detach().numpy(), conv.dilation[0]
    reach, (h, w) = weight.shape[2] // 2, x.shape[1:]
    out = np.zeros((len(weight), h, w))
    for i in range(h):
        for j in range(w):
            for a in range(-reach, reach + 1):
                for b in range(-reach, reach + 1):
                    y, z = i + a * step, j + b * step
                    if 0 <= y < h and 0 <= z < w:
                        out[:, i, j] += weight[:, :, a + reach, b + reach] @ x[:, y, z]
    return out if conv.bias is None else out + conv.bias.detach().numpy()[:, None, None]


def block(x, layers):
    """Convolution, normalisation with running statistics, ReLU."""
    conv, norm, _ = layers
    mean, var, weight, bias = (
        values.detach().numpy()[:, None, None]
        for values in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return np.maximum((dilated(x, conv) - mean) / np.sqrt(var + norm.eps) * weight + bias, 0)


def branch(x, layers):
    """The two convolutions of every branch."""
    return dilated(block(x, layers[0]), layers[1])


def softmax(values):
    """Equation 2, at one position."""
    powers = [np.exp(value) for value in values]
    return [power / sum(powers) for power in powers]
