"""Attention mechanisms, one per file, and ``Tap``, through which every attention map passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.attention.channel import ChannelAttentionBlock
    from attseg.attention.criss_cross import CrissCrossAttention
    from attseg.attention.dual import ChannelSelfAttention, PositionSelfAttention
    from attseg.attention.fusion import DualAttentionFusion
    from attseg.attention.global_context import GlobalContext
    from attseg.attention.location import LocationAttention
    from attseg.attention.non_local import NonLocal
    from attseg.attention.object import ObjectAttention
    from attseg.attention.pairwise import Pairwise
    from attseg.attention.pointwise.maps import attention_maps
    from attseg.attention.pointwise.module import PointwiseSpatialAttention
    from attseg.attention.pointwise.operator import point_attention
    from attseg.attention.position import PositionAttention
    from attseg.attention.pyramid import FeaturePyramidAttention
    from attseg.attention.recalibration import Recalibration
    from attseg.attention.scale import AttentionToScale, AverageOverScales, MaxOverScales
    from attseg.attention.squeeze import SqueezeExcitation
    from attseg.attention.tap import Tap
    from attseg.attention.upsample import GlobalAttentionUpsample

__all__ = [
    "AttentionToScale",
    "AverageOverScales",
    "ChannelAttentionBlock",
    "ChannelSelfAttention",
    "CrissCrossAttention",
    "DualAttentionFusion",
    "FeaturePyramidAttention",
    "GlobalAttentionUpsample",
    "GlobalContext",
    "LocationAttention",
    "MaxOverScales",
    "NonLocal",
    "ObjectAttention",
    "Pairwise",
    "PointwiseSpatialAttention",
    "PositionAttention",
    "PositionSelfAttention",
    "Recalibration",
    "SqueezeExcitation",
    "Tap",
    "attention_maps",
    "point_attention",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.attention.criss_cross": "CrissCrossAttention",
        "attseg.attention.dual": "ChannelSelfAttention PositionSelfAttention",
        "attseg.attention.global_context": "GlobalContext",
        "attseg.attention.object": "ObjectAttention",
        "attseg.attention.channel": "ChannelAttentionBlock",
        "attseg.attention.fusion": "DualAttentionFusion",
        "attseg.attention.location": "LocationAttention",
        "attseg.attention.non_local": "NonLocal",
        "attseg.attention.pairwise": "Pairwise",
        "attseg.attention.pointwise.maps": "attention_maps",
        "attseg.attention.pointwise.module": "PointwiseSpatialAttention",
        "attseg.attention.pointwise.operator": "point_attention",
        "attseg.attention.position": "PositionAttention",
        "attseg.attention.pyramid": "FeaturePyramidAttention",
        "attseg.attention.recalibration": "Recalibration",
        "attseg.attention.scale": "AttentionToScale AverageOverScales MaxOverScales",
        "attseg.attention.squeeze": "SqueezeExcitation",
        "attseg.attention.tap": "Tap",
        "attseg.attention.upsample": "GlobalAttentionUpsample",
    },
)
