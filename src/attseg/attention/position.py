"""2D Position Attention Module (2DPAM): Xiong et al., DF-DAM, arXiv 1911.08149, section 3.3, figure 4, equations 9 and 10."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.tap import Tap
from attseg.errors import unknown
from attseg.layers import ConvNormAct

Confidence = Literal["raw", "reduced", "none"]


class PositionAttention(nn.Module):
    """Keeps of a low-level map the positions that the context has confidence in (2DPAM).

    Args:
        low_channels: Channels of the low-level map.
        channels: Channels of the context and of the output.
        confidence: Which form of the low-level map is laid beside the context to find the confidence: ``raw``, as the encoder
            gives it, or ``reduced`` to ``channels``; with ``none`` every position counts fully.

    Raises:
        UsageError: ``confidence`` is something else.

    Source:
        Section 3.3, figures 2b and 4, equations 9 and 10.
    Reading:
        The paper calls what finds the confidence a network of convolution and activation functions. Here it is a 1x1
        convolution to ``channels``, batch normalisation, ReLU, a 1x1 convolution to one channel and a sigmoid.
        Equation 9 has the low-level map in ``channels``; the network reads it before that, as this agrees with the costs that
        tables 4 and 6 print. With the reduced map the multiply-adds are 0.8 % above table 4 and 0.7 % below table 6: row
        ``dfdam:readings/confidence-reduced``.

    Example:
        >>> import torch
        >>> PositionAttention(24, 16)(torch.zeros(2, 24, 15, 21), torch.zeros(2, 16, 15, 21)).shape
        torch.Size([2, 16, 15, 21])
    """

    def __init__(self, low_channels: int, channels: int, *, confidence: Confidence = "raw") -> None:
        super().__init__()
        if confidence not in get_args(Confidence):
            raise unknown("setting of the confidence", confidence, get_args(Confidence))
        self.reduce = ConvNormAct(low_channels, channels)
        self.confidence: Confidence = confidence
        if confidence != "none":
            beside = low_channels if confidence == "raw" else channels
            self.weigh = nn.Sequential(
                ConvNormAct(beside + channels, channels), nn.Conv2d(channels, 1, 1), nn.Sigmoid()
            )
            self.attention = Tap("spatial", "2dpam")

    def forward(self, low: Float[Tensor, "n c_low h w"], context: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Filter ``low`` (N, low_channels, H, W) by ``context`` (N, channels, H, W); gives (N, channels, H, W)."""
        reduced = self.reduce(low)
        if self.confidence == "none":
            return reduced
        beside = low if self.confidence == "raw" else reduced
        return reduced * self.attention(self.weigh(torch.cat((beside, context), 1)))  # weights: (N, 1, H, W)
