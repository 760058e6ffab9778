"""DANet as a context: Fu et al., Dual Attention Network, CVPR 2019, arXiv 1809.02983, figure 2."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.dual import ChannelSelfAttention, Likeness, PositionSelfAttention
from attseg.layers import ConvNormAct


class DualAttentionContext(nn.Module):
    """Position attention and channel attention side by side, summed.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        reduction: As of ``PositionSelfAttention``.
        by: As of ``ChannelSelfAttention``.

    Source:
        Section 3.4, figure 2: each module stands between two convolutions, and the sum of both is classified.
    Reading:
        In the authors' released code all convolutions but the last layer are 3x3, and each branch has a quarter of the input's
        channels; here it has ``channels``. That code also supervises the scores of each branch alone; we do not.

    Example:
        >>> import torch
        >>> DualAttentionContext(16, 8)(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 8, 5, 7])
    """

    def __init__(self, in_channels: int, channels: int, *, reduction: int = 8, by: Likeness = "unlikeness") -> None:
        super().__init__()
        self.position = nn.Sequential(
            ConvNormAct(in_channels, channels, 3),
            PositionSelfAttention(channels, reduction=reduction),
            ConvNormAct(channels, channels, 3),
        )
        self.channel = nn.Sequential(
            ConvNormAct(in_channels, channels, 3), ChannelSelfAttention(by=by), ConvNormAct(channels, channels, 3)
        )

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Bring (N, in_channels, H, W) to (N, channels, H, W)."""
        summed: Tensor = self.position(features) + self.channel(features)
        return summed
