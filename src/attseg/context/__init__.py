"""What sits on the deepest map: each context brings (N, in_channels, H, W) to (N, channels, H, W)."""

from __future__ import annotations

from typing import Literal, get_args

from torch import nn

from attseg.attention.pyramid import FeaturePyramidAttention
from attseg.attention.squeeze import SqueezeExcitation
from attseg.errors import unknown
from attseg.layers import ConvNormAct

ContextName = Literal["none", "se", "fpa"]


def build_context(name: ContextName, in_channels: int, channels: int) -> nn.Module:
    """A context by name, with its paper's best setting.

    Args:
        name: ``none`` only reduces the channels; ``se`` reweighs them first; ``fpa`` is feature pyramid attention.
        in_channels: Channels of the encoder's deepest map.
        channels: Channels of the result.

    Raises:
        UsageError: There is no such context.
    """
    match name:
        case "none":
            return ConvNormAct(in_channels, channels)
        case "se":
            return nn.Sequential(SqueezeExcitation(in_channels), ConvNormAct(in_channels, channels))
        case "fpa":
            return FeaturePyramidAttention(in_channels, channels)
    raise unknown("context", name, get_args(ContextName))
