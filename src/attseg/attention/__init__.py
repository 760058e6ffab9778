"""Attention mechanisms, one per file, and ``Tap``, through which every attention map passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.attention.channel import ChannelAttentionBlock as ChannelAttentionBlock
    from attseg.attention.criss_cross import CrissCrossAttention as CrissCrossAttention
    from attseg.attention.dual import ChannelSelfAttention as ChannelSelfAttention
    from attseg.attention.dual import PositionSelfAttention as PositionSelfAttention
    from attseg.attention.fusion import DualAttentionFusion as DualAttentionFusion
    from attseg.attention.global_context import GlobalContext as GlobalContext
    from attseg.attention.location import LocationAttention as LocationAttention
    from attseg.attention.non_local import NonLocal as NonLocal
    from attseg.attention.object import ObjectAttention as ObjectAttention
    from attseg.attention.pairwise import Pairwise as Pairwise
    from attseg.attention.pointwise.maps import attention_maps as attention_maps
    from attseg.attention.pointwise.module import PointwiseSpatialAttention as PointwiseSpatialAttention
    from attseg.attention.pointwise.operator import point_attention as point_attention
    from attseg.attention.position import PositionAttention as PositionAttention
    from attseg.attention.pyramid import FeaturePyramidAttention as FeaturePyramidAttention
    from attseg.attention.recalibration import Recalibration as Recalibration
    from attseg.attention.scale import AttentionToScale as AttentionToScale
    from attseg.attention.scale import AverageOverScales as AverageOverScales
    from attseg.attention.scale import MaxOverScales as MaxOverScales
    from attseg.attention.squeeze import SqueezeExcitation as SqueezeExcitation
    from attseg.attention.tap import Tap as Tap
    from attseg.attention.upsample import GlobalAttentionUpsample as GlobalAttentionUpsample

__getattr__, __dir__ = lazy(__name__)
