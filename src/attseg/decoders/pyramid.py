"""UPerNet's decoder, a feature pyramid whose levels are fused: Xiao et al., ECCV 2018, arXiv 1807.10221, section 3.1."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, cat, nn

from attseg.decoders.base import Decoded
from attseg.layers import ConvNormAct, resize


class FeaturePyramidDecoder(nn.Module):
    """Adds from coarse to fine, refines every level, and fuses all of them at the finest.

    Args:
        low_channels: Channels of the encoder's maps above the deepest, finest first.
        channels: Channels of the deepest map, of every level and of the output.

    Source:
        Section 3.1, figure 4: FPN (Lin et al., CVPR 2017) with a pyramid pooling module on its deepest map, which is
        ``context="psp"``; the object head reads the fusion of all levels.
    Reading:
        As in the authors' released code, lateral convolutions are 1x1 and all others 3x3, each with batch normalisation and ReLU,
        and the deepest level is not refined again.

    Example:
        >>> import torch
        >>> lows = [torch.zeros(1, 4, 16, 20), torch.zeros(1, 6, 8, 10)]
        >>> FeaturePyramidDecoder((4, 6), 8).eval()(lows, torch.zeros(1, 8, 4, 5)).fused.shape
        torch.Size([1, 8, 16, 20])
    """

    def __init__(self, low_channels: Sequence[int], channels: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(ConvNormAct(low, channels) for low in low_channels)
        self.refine = nn.ModuleList(ConvNormAct(channels, channels, 3) for _ in low_channels)
        self.fuse = ConvNormAct((1 + len(low_channels)) * channels, channels, 3)

    def forward(self, lows: Sequence[Tensor], high: Tensor) -> Decoded:
        """Bring ``high`` (N, C, H', W') to the size of ``lows[0]``; ``lows`` are finest first."""
        levels = [high]
        for lateral, refine, low in zip(reversed(self.lateral), reversed(self.refine), reversed(lows), strict=True):
            high = lateral(low) + resize(high, low.shape[-2:])
            levels.insert(0, refine(high))
        size = levels[0].shape[-2:]
        return Decoded(self.fuse(cat([levels[0], *(resize(level, size) for level in levels[1:])], 1)), {})
