"""Channel Attention Block (CAB): Yu et al., Learning a Discriminative Feature Network, CVPR 2018, section 3.1."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.tap import Tap
from attseg.layers import resize


class ChannelAttentionBlock(nn.Module):
    """Selects channels of a finer map by what both it and the deeper map hold as a whole, and adds the deeper one (CAB).

    Args:
        channels: Channels of both maps and of the output.

    Source:
        Section 3.1, figures 2 and 3.
    Reading:
        The hidden layer has as many channels as the output, as in the authors' released code; the paper gives no number.

    Example:
        >>> import torch
        >>> ChannelAttentionBlock(16)(torch.zeros(2, 16, 15, 21), torch.zeros(2, 16, 8, 11)).shape
        torch.Size([2, 16, 15, 21])
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, channels, 1), nn.Sigmoid()
        )
        self.attention = Tap("channel", "cab")

    def forward(self, low: Float[Tensor, "n c h w"], high: Float[Tensor, "n c h2 w2"]) -> Float[Tensor, "n c h w"]:
        """Bring ``high`` (N, C, H', W') to the size of ``low`` (N, C, H, W), whose channels are selected first."""
        high = resize(high, low.shape[-2:])
        pooled = torch.cat([maps.mean((2, 3), keepdim=True) for maps in (low, high)], 1)  # (N, 2C, 1, 1)
        return low * self.attention(self.weigh(pooled)) + high
