"""Dual Attention Fusion Module (DAFM): Xiong et al., DF-DAM, arXiv 1911.08149, section 3.2, figure 3, equations 3 to 8."""

from __future__ import annotations

from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.tap import Tap
from attseg.errors import unknown
from attseg.layers import ConvNormAct, resize

Gates = Literal["both", "high", "low", "none"]


class DualAttentionFusion(nn.Module):
    """Adds a deeper map to a finer one, after the pooled deeper map has weighed the channels of both (DAFM).

    Two gates of one form read the same pooled map. Where two positions differ in a channel, the difference is kept or weakened
    by the weight of that channel, in each of the two maps on its own (equations 7 and 8).

    Args:
        low_channels: Channels of the low-level (finer) map.
        channels: Channels of the high-level (deeper) map and of the output.
        gates: Which of the two maps is weighed. ``both`` is the paper's; of a single gate it says that the range of adjustment
            is halved; ``none`` is its plain sum.

    Raises:
        UsageError: ``gates`` is something else.

    Source:
        Section 3.2, figures 2c and 3, equations 3 to 8, tables 1 and 2.
    Reading:
        A single gate is what the paper speaks of and does not print: rows ``dfdam:readings/gates-high`` and
        ``dfdam:readings/gates-low``.
        Whether a gate reads the high-level map before or after its 1x1 convolution is not said. After: two gates on 2048
        channels would add half a million parameters, for which table 6 leaves no room.
        A gate is global average pooling, a 1x1 convolution with bias and a sigmoid; no normalisation stands behind the
        average, where one value a channel and picture has little to be normalised by.
        The paper enlarges the high-level map and weighs it, in no order that it names. The order does not matter to the
        result; the small map is weighed here.

    Example:
        >>> import torch
        >>> dafm = DualAttentionFusion(24, 16)
        >>> dafm(torch.zeros(2, 24, 15, 21), torch.zeros(2, 16, 8, 11)).shape
        torch.Size([2, 16, 15, 21])
    """

    def __init__(self, low_channels: int, channels: int, *, gates: Gates = "both") -> None:
        super().__init__()
        if gates not in get_args(Gates):
            raise unknown("setting of the gates", gates, get_args(Gates))
        self.reduce = ConvNormAct(low_channels, channels)
        self.high_gate = _Gate(channels, "dafm-high") if gates in ("both", "high") else None
        self.low_gate = _Gate(channels, "dafm-low") if gates in ("both", "low") else None

    def forward(self, low: Float[Tensor, "n c_low h w"], high: Float[Tensor, "n c h2 w2"]) -> Float[Tensor, "n c h w"]:
        """Fuse ``low`` (N, low_channels, H, W) and ``high`` (N, channels, H', W'); gives (N, channels, H, W)."""
        low, pooled = self.reduce(low), high.mean((2, 3), keepdim=True)
        if self.high_gate is not None:
            high = high * self.high_gate(pooled)
        if self.low_gate is not None:
            low = low * self.low_gate(pooled)
        return low + resize(high, low.shape[-2:])


class _Gate(nn.Module):
    """Channel weights from a pooled map (N, C, 1, 1)."""

    def __init__(self, channels: int, name: str) -> None:
        super().__init__()
        self.weigh = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.Sigmoid())
        self.attention = Tap("channel", name)

    def forward(self, pooled: Tensor) -> Tensor:
        return self.attention(self.weigh(pooled))
