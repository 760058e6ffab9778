"""SegFormer's decoder of linear layers: Xie et al., NeurIPS 2021, arXiv 2105.15203, section 3.2."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, cat, nn

from attseg.decoders.base import Decoded
from attseg.layers import ConvNormAct, resize


class MLPDecoder(nn.Module):
    """Brings every map to the same channels by a linear layer, enlarges them to the finest, and fuses them by another.

    Args:
        low_channels: Channels of the encoder's maps above the deepest, finest first.
        channels: Channels of the deepest map, of every projection and of the output.

    Source:
        Section 3.2, equation 4.
    Reading:
        The layer that fuses has batch normalisation and ReLU behind it, as in the authors' released code. The paper's deepest map
        goes straight into its linear layer; here the context comes before, ``none`` being a 1x1 convolution.

    Example:
        >>> import torch
        >>> lows = [torch.zeros(1, 4, 16, 20), torch.zeros(1, 6, 8, 10)]
        >>> MLPDecoder((4, 6), 8).eval()(lows, torch.zeros(1, 8, 4, 5)).fused.shape
        torch.Size([1, 8, 16, 20])
    """

    def __init__(self, low_channels: Sequence[int], channels: int) -> None:
        super().__init__()
        self.project = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in (*low_channels, channels))
        self.fuse = ConvNormAct((1 + len(low_channels)) * channels, channels)

    def forward(self, lows: Sequence[Tensor], high: Tensor) -> Decoded:
        """Bring ``high`` (N, C, H', W') to the size of ``lows[0]``; ``lows`` are finest first."""
        maps = [*lows, high]
        size = maps[0].shape[-2:]
        projected = [project(each) for project, each in zip(self.project, maps, strict=True)]
        larger = [projected[0], *(resize(each, size) for each in projected[1:])]
        return Decoded(self.fuse(cat(larger[::-1], 1)), {})
