"""CCNet as a context: Huang et al., ICCV 2019, arXiv 1811.11721, figure 2."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, cat, nn

from attseg.attention.criss_cross import CrissCrossAttention
from attseg.layers import ConvNormAct


class CrissCrossContext(nn.Module):
    """Recurrent criss-cross attention on the reduced map, concatenated with the input.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        reduction: As of ``CrissCrossAttention``.
        recurrence: Likewise, the number of passes.

    Source:
        Section 3.1, figure 2: the map is reduced, attended to, concatenated with the input and merged.
    Reading:
        The 3x3 convolutions before and behind attention, and the one that merges, are those of the authors' released code. They
        reduce to a quarter of the input's channels; here the width is ``channels``.

    Example:
        >>> import torch
        >>> CrissCrossContext(16, 8)(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 8, 5, 7])
    """

    def __init__(self, in_channels: int, channels: int, *, reduction: int = 8, recurrence: int = 2) -> None:
        super().__init__()
        self.reduce = ConvNormAct(in_channels, channels, 3)
        self.gather = CrissCrossAttention(channels, reduction=reduction, recurrence=recurrence)
        self.refine = ConvNormAct(channels, channels, 3)
        self.merge = ConvNormAct(in_channels + channels, channels, 3)

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Bring (N, in_channels, H, W) to (N, channels, H, W)."""
        return self.merge(cat([features, self.refine(self.gather(self.reduce(features)))], 1))
