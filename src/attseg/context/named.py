"""Contexts by name."""

from __future__ import annotations

from typing import Literal, get_args

from torch import nn

from attseg.attention.pyramid import FeaturePyramidAttention
from attseg.attention.squeeze import SqueezeExcitation
from attseg.context.aspp import ASPP, rates_at
from attseg.context.global_pooling import GlobalPoolingContext
from attseg.context.non_local import NonLocalContext
from attseg.context.pointwise import PointwiseContext, reach_of
from attseg.context.pyramid_pooling import PyramidPooling
from attseg.errors import unknown
from attseg.layers import ConvNormAct

PSA_CROP = (512, 512)
"""Height and width, in pixels, within which ``psa`` has a filter for every offset; ``PSANet`` lets its crop be chosen."""

ContextName = Literal["none", "global", "se", "aspp", "psp", "nonlocal", "fpa", "psa"]


def build_context(
    name: ContextName,
    in_channels: int,
    channels: int,
    *,
    output_stride: int,
    width: int | None = None,
    align_corners: bool = False,
) -> nn.Module:
    """A context by name, with its paper's best setting.

    Args:
        name: ``none`` only reduces the channels. ``global`` puts the mean of the picture beside every position (ParseNet);
            ``se`` reweighs the channels; ``aspp`` looks at several reaches at once (DeepLab v3); ``psp`` pools into parts of the
            picture (PSPNet); ``nonlocal`` gathers from all positions by likeness; ``fpa`` is feature pyramid attention (PAN);
            ``psa`` is point-wise spatial attention (PSANet), with filters for the offsets within ``PSA_CROP``.
        in_channels: Channels of the encoder's deepest map.
        channels: Channels of the result.
        output_stride: Stride of the encoder's deepest map, ``encoder.strides[-1]``; the reach of ``aspp`` depends on it.
        width: Channels of each level of ``psp``, where they are not its share of the input's; no other context asks.
        align_corners: How ``psp``, ``fpa`` and ``psa`` resize maps; the others resize none.

    Raises:
        UsageError: There is no such context.
    """
    match name:
        case "none":
            return ConvNormAct(in_channels, channels)
        case "global":
            return GlobalPoolingContext(in_channels, channels)
        case "se":
            return nn.Sequential(SqueezeExcitation(in_channels), ConvNormAct(in_channels, channels))
        case "aspp":
            return ASPP(in_channels, channels, rates=rates_at(output_stride))
        case "psp":
            return PyramidPooling(in_channels, channels, width=width, align_corners=align_corners)
        case "nonlocal":
            return NonLocalContext(in_channels, channels)
        case "fpa":
            return FeaturePyramidAttention(in_channels, channels, align_corners=align_corners)
        case "psa":
            return PointwiseContext(
                in_channels,
                channels,
                reach=reach_of(PSA_CROP, output_stride=output_stride),
                align_corners=align_corners,
            )
    raise unknown("context", name, get_args(ContextName))
