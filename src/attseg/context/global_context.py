"""GCNet as a context: Cao et al., GCNet, ICCV workshops 2019, arXiv 1904.11492."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, cat, nn

from attseg.attention.global_context import GlobalContext
from attseg.layers import ConvNormAct


class GlobalContextContext(nn.Module):
    """A global context block on the reduced map, merged with the input.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        reduction: As of ``GlobalContext``.

    Source:
        Cao et al., section 3.3, figure 4d.
    Reading:
        The paper puts blocks into the encoder, for detection. As a context it stands between 3x3 convolutions, and its result is
        concatenated with the input and merged by another, as is usual for semantic segmentation.

    Example:
        >>> import torch
        >>> GlobalContextContext(16, 8)(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 8, 5, 7])
    """

    def __init__(self, in_channels: int, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        self.reduce = ConvNormAct(in_channels, channels, 3)
        self.block = GlobalContext(channels, reduction=reduction)
        self.refine = ConvNormAct(channels, channels, 3)
        self.merge = ConvNormAct(in_channels + channels, channels, 3)

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Bring (N, in_channels, H, W) to (N, channels, H, W)."""
        return self.merge(cat([features, self.refine(self.block(self.reduce(features)))], 1))
