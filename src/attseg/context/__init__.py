"""Contexts, which sit on the deepest map: each takes (N, in_channels, H, W) to (N, channels, H, W)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.context.aspp import ASPP, rates_at
    from attseg.context.base import WithSides
    from attseg.context.criss_cross import CrissCrossContext
    from attseg.context.dual import DualAttentionContext
    from attseg.context.global_context import GlobalContextContext
    from attseg.context.global_pooling import GlobalPoolingContext
    from attseg.context.named import ContextName, build_context
    from attseg.context.non_local import NonLocalContext
    from attseg.context.object import ObjectContext
    from attseg.context.pointwise import PointwiseContext, reach_of
    from attseg.context.pyramid_pooling import PyramidPooling

__all__ = [
    "ASPP",
    "ContextName",
    "CrissCrossContext",
    "DualAttentionContext",
    "GlobalContextContext",
    "GlobalPoolingContext",
    "NonLocalContext",
    "ObjectContext",
    "PointwiseContext",
    "PyramidPooling",
    "WithSides",
    "build_context",
    "rates_at",
    "reach_of",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.context.aspp": "ASPP rates_at",
        "attseg.context.base": "WithSides",
        "attseg.context.criss_cross": "CrissCrossContext",
        "attseg.context.dual": "DualAttentionContext",
        "attseg.context.global_context": "GlobalContextContext",
        "attseg.context.global_pooling": "GlobalPoolingContext",
        "attseg.context.named": "ContextName build_context",
        "attseg.context.non_local": "NonLocalContext",
        "attseg.context.object": "ObjectContext",
        "attseg.context.pointwise": "PointwiseContext reach_of",
        "attseg.context.pyramid_pooling": "PyramidPooling",
    },
)
