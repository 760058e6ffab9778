"""Global pooling: Liu, Rabinovich and Berg, ParseNet: Looking Wider to See Better, arXiv 1506.04579, 2015, section 3."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, cat, nn

from attseg.layers import ConvNormAct

FIRST_SCALE = 20.0
"""Initial scale after an L2 normalisation."""


class GlobalPoolingContext(nn.Module):
    """Every position beside the mean of all positions.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        normalize: Whether both vectors are brought to length one and then scaled, channel by channel, by what is learned.
        kernel: Kernel of the convolution that merges.

    Source:
        Liu et al., sections 3.2 (early fusion: unpool and concatenate) and 3.3 (L2 normalisation with learned scales).
        Row "ResNet50+GlobalPooling" in table 1 of Zhao et al., ECCV 2018.
    Reading:
        The paper normalises because it merges maps of a VGG whose values differ in size. Its first author holds this to be needed
        only where the network has no batch normalisation (weiliu89/caffe, issue 115), so it is off; True is the paper's.
        The scales then begin at 20, as in the same author's SSD, and a vector of zeros stays one.
        PSANet's row gives no details; we read it as concatenation, in the place where PSA is with ``kernel=3``.

    Example:
        >>> import torch
        >>> GlobalPoolingContext(16, 8)(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 8, 5, 7])
    """

    def __init__(self, in_channels: int, channels: int, *, normalize: bool = False, kernel: int = 1) -> None:
        super().__init__()
        self.here = UnitLength(in_channels) if normalize else nn.Identity()
        self.whole = UnitLength(in_channels) if normalize else nn.Identity()
        self.merge = ConvNormAct(2 * in_channels, channels, kernel)

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Bring (N, in_channels, H, W) to (N, channels, H, W)."""
        pooled = self.whole(features.mean((2, 3), keepdim=True))  # (N, in_channels, 1, 1)
        return self.merge(cat([self.here(features), pooled.expand_as(features)], 1))


class UnitLength(nn.Module):
    """L2 normalisation of every position's channels, and a learned scale a channel.

    Args:
        channels: Channels of the maps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels, 1, 1), FIRST_SCALE))

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Normalise (N, C, H, W).

        The small number keeps the gradient at a vector of zeros, which a ReLU may well give, within a thousandfold.
        """
        return features * (features.square().sum(1, keepdim=True) + 1e-6).rsqrt() * self.scale
