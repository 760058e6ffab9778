"""Merging the score maps of one network at several image scales: the largest, the mean, or weights found at each position.

Chen, Yang, Wang, Xu and Yuille, Attention to Scale, CVPR 2016, section 3; the rows of table 1 of Yang and Peng, Attention to
Refine through Multi-Scales, 2018. The mechanism of the second paper itself is in ``location``.

Every merge is called with two lists, one entry a scale, the largest scale first: the score maps, brought to one size, and the
stages of the network, each scale at its own sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.tap import Tap
from attseg.errors import UsageError
from attseg.layers import ConvNormAct, resize


class MaxOverScales(nn.Module):
    """The largest score of each class at each position."""

    def forward(
        self, scores: Sequence[Float[Tensor, "n k h w"]], stages: Sequence[Sequence[Tensor]]
    ) -> Float[Tensor, "n k h w"]:
        """Merge score maps (N, K, H, W); ``stages`` are not looked at."""
        return reduce(torch.maximum, scores)


class AverageOverScales(nn.Module):
    """The mean score of each class at each position."""

    def forward(
        self, scores: Sequence[Float[Tensor, "n k h w"]], stages: Sequence[Sequence[Tensor]]
    ) -> Float[Tensor, "n k h w"]:
        """Merge score maps (N, K, H, W); ``stages`` are not looked at."""
        return reduce(torch.add, scores) / len(scores)


class AttentionToScale(nn.Module):
    """Weighs the scales at each position by what the network's deepest maps hold there.

    Two convolutions read the deepest maps of all scales side by side and give one map a scale; a softmax over the scales
    makes them weights, which all classes share.

    Args:
        stage_channels: Channels of the network's stages, finest first; the last of them is read.
        scales: Number of image scales S.
        channels: Channels between the two convolutions.
        norm: Whether batch normalisation stands between them.

    Raises:
        UsageError: Fewer than two scales.

    Source:
        Chen et al., CVPR 2016, section 3.1; row "Attention-to-Scale" of table 1 and "Base model" of table 2 of Yang and Peng.
    Reading:
        The penultimate layer is taken to be the encoder's last stage, as it is in DeepLab-LargeFOV, where this comes from.
        A 3x3 convolution with 512 channels and a 1x1 convolution are those of Chen et al.; the batch normalisation between
        them is ours, for encoders that have none. Without it: row ``a2r:readings/no-norm``.
        The weights are formed at the size of the largest scale's deepest map, and brought to that of the scores before the
        softmax.

    Example:
        >>> import torch
        >>> scores = [torch.zeros(1, 21, 16, 16), torch.ones(1, 21, 16, 16)]
        >>> stages = [[torch.zeros(1, 512, 8, 8)], [torch.zeros(1, 512, 4, 4)]]
        >>> AttentionToScale([512], 2).eval()(scores, stages).shape
        torch.Size([1, 21, 16, 16])
    """

    def __init__(self, stage_channels: Sequence[int], scales: int, *, channels: int = 512, norm: bool = True) -> None:
        super().__init__()
        if scales < 2:
            raise UsageError(
                f"attention over {scales} image scale has nothing to choose from; two or more were expected"
            )
        self.weigh = two_convolutions(scales * stage_channels[-1], scales, channels, norm=norm)
        self.attention = Tap("scale", "attention-to-scale")

    def forward(
        self, scores: Sequence[Float[Tensor, "n k h w"]], stages: Sequence[Sequence[Tensor]]
    ) -> Float[Tensor, "n k h w"]:
        """Merge score maps (N, K, H, W) by the last of each scale's ``stages``."""
        deepest = [maps[-1] for maps in stages]
        seen = torch.cat([resize(deep, deepest[0].shape[-2:]) for deep in deepest], 1)
        wanted = resize(self.weigh(seen), scores[0].shape[-2:])
        return weighted_sum(scores, self.attention(wanted.softmax(1)))  # weights: (N, S, H, W)


def two_convolutions(in_channels: int, out_channels: int, channels: int, *, norm: bool = True) -> nn.Sequential:
    """Branch of these mechanisms: a 3x3 convolution to ``channels`` and a ReLU, then a 1x1 convolution."""
    last = nn.Conv2d(channels, out_channels, 1)
    if norm:
        return nn.Sequential(ConvNormAct(in_channels, channels, 3), last)
    return nn.Sequential(nn.Conv2d(in_channels, channels, 3, padding=1), nn.ReLU(inplace=True), last)


def weighted_sum(scores: Sequence[Tensor], weights: Tensor) -> Tensor:
    """Sum of the scales' score maps (N, K, H, W), each times its own of the weights (N, S, H, W)."""
    return reduce(torch.add, (score * weight for score, weight in zip(scores, weights.split(1, 1), strict=True)))
