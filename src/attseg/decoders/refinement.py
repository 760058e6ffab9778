"""DFN's decoder, its Smooth Network: Yu et al., Learning a Discriminative Feature Network, CVPR 2018, section 3.1."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.channel import ChannelAttentionBlock
from attseg.decoders.base import Decoded
from attseg.layers import ConvNormAct, resize


class RefinementResidualBlock(nn.Module):
    """A 1x1 convolution that sets the channels, and a residual block that refines them (RRB).

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.

    Source:
        Section 3.1, figure 2.
    Reading:
        Batch normalisation stands behind the first 3x3 convolution alone. That no convolution has a bias is from the authors'
        released code.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.residual = nn.Sequential(
            ConvNormAct(channels, channels, 3), nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        )

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Refine (N, in_channels, H, W); gives (N, channels, H, W), none of it negative."""
        reduced = self.reduce(features)
        return F.relu(reduced + self.residual(reduced))


class RefinementDecoder(nn.Module):
    """Climbs from the deepest map to the finest: refine the map, let the deeper map select its channels, refine the sum.

    Args:
        low_channels: Channels of the encoder's maps above the deepest, finest first.
        channels: Channels of the deepest map and of the output.
        attention: Whether channel attention selects; without it every step adds.
        global_pooling: Whether the average of the deepest map stands below it as one more map.

    Source:
        Section 3.1, figure 2. With neither option it is the row "DFN (Res-101+RRB)" of table 4 of Li et al., BMVC 2018.
    Reading:
        The paper's maps have 512 channels; here they have those that the context gives.
        No normalisation stands behind the global average, unlike in the authors' released code: at batch size 1 it would have
        nothing to normalise by.
        The paper supervises logits at every step and adds a Border Network; neither is part of this decoder.
    """

    def __init__(
        self, low_channels: Sequence[int], channels: int, *, attention: bool = True, global_pooling: bool = True
    ) -> None:
        super().__init__()
        self.whole = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.ReLU()) if global_pooling else None
        self.steps = nn.ModuleList(_Step(low, channels, attention) for low in low_channels)
        self.steps.append(_Step(channels, channels, attention and global_pooling))

    def forward(self, lows: Sequence[Tensor], high: Tensor) -> Decoded:
        """Bring ``high`` (N, C, H', W') to the size of ``lows[0]``; ``lows`` are finest first."""
        *steps, deepest = self.steps
        high = deepest(high, None if self.whole is None else self.whole(high.mean((2, 3), keepdim=True)))
        for step, low in zip(reversed(steps), reversed(lows), strict=True):
            high = step(low, high)
        return Decoded(high, {})


class _Step(nn.Module):
    """Refine, select or add, refine; the deepest step may have nothing below it."""

    def __init__(self, in_channels: int, channels: int, attention: bool) -> None:
        super().__init__()
        self.before = RefinementResidualBlock(in_channels, channels)
        self.select = ChannelAttentionBlock(channels) if attention else None
        self.after = RefinementResidualBlock(channels, channels)

    def forward(self, low: Tensor, high: Tensor | None) -> Tensor:
        low = self.before(low)
        if self.select is not None:
            low = self.select(low, high)
        elif high is not None:
            low = low + resize(high, low.shape[-2:])
        return self.after(low)
