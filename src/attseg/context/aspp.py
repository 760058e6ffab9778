"""Atrous spatial pyramid pooling (ASPP): Chen et al., Rethinking Atrous Convolution, arXiv 1706.05587, 2017, section 3.3."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, cat, nn

from attseg.errors import UsageError
from attseg.layers import ConvNormAct

RATES = (6, 12, 18)
"""The paper's rates at output stride 16."""


class ASPP(nn.Module):
    """Looks at every position with convolutions of several reaches at once, and at the whole picture.

    Args:
        in_channels: Channels of the input.
        channels: Channels of every branch and of the output; the paper has 256.
        rates: Dilation of each 3x3 convolution; ``rates_at`` gives the paper's for a stride.
        image_pooling: Whether the branch of the whole picture is there; off in DeepLab v2, on in v3.

    Raises:
        UsageError: No rate, or one below 1.

    Source:
        DeepLab v3, section 3.3, figure 5.
    Reading:
        The paper normalises all branches. Behind the pooled one there is no normalisation but a bias: one value a channel and
        picture has little to be normalised by.
        PSANet's row "ResNet50 + ASPP" refers to DeepLab v2; we take it as rates 12, 24, 36 at stride 8 without image pooling.

    Example:
        >>> import torch
        >>> ASPP(16, 8, rates=rates_at(8))(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 8, 5, 7])
    """

    def __init__(
        self, in_channels: int, channels: int, *, rates: Sequence[int] = RATES, image_pooling: bool = True
    ) -> None:
        super().__init__()
        if not rates or any(rate < 1 for rate in rates):
            raise UsageError(f"the rates of ASPP are {tuple(rates)}; rates from 1 on were expected, such as {RATES}")
        self.point = ConvNormAct(in_channels, channels)
        self.atrous = nn.ModuleList(ConvNormAct(in_channels, channels, 3, dilation=rate) for rate in rates)
        self.whole = nn.Sequential(nn.Conv2d(in_channels, channels, 1), nn.ReLU()) if image_pooling else None
        branches = 1 + len(rates) + image_pooling
        self.merge = ConvNormAct(branches * channels, channels)

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Bring (N, in_channels, H, W) to (N, channels, H, W)."""
        seen = [self.point(features), *(branch(features) for branch in self.atrous)]  # each (N, channels, H, W)
        if self.whole is not None:
            pooled = self.whole(features.mean((2, 3), keepdim=True))  # (N, channels, 1, 1)
            seen.append(pooled.expand_as(seen[0]))
        return self.merge(cat(seen, 1))


def rates_at(output_stride: int) -> tuple[int, ...]:
    """The paper's rates for maps of a stride, so that they reach as far in the picture at every stride.

    Args:
        output_stride: Pixels of the picture to one step on the map.

    Source:
        Section 3.3: (6, 12, 18) at output stride 16, twice as much at 8.
    Reading:
        The paper stops at 16; at 32 we halve its rates.

    Example:
        >>> rates_at(8), rates_at(16), rates_at(32)
        ((12, 24, 36), (6, 12, 18), (3, 6, 9))
    """
    return tuple(max(rate * 16 // output_stride, 1) for rate in RATES)
