"""Contexts, which sit on the deepest map: each takes (N, in_channels, H, W) to (N, channels, H, W)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.context.aspp import ASPP, rates_at
    from attseg.context.global_pooling import GlobalPoolingContext
    from attseg.context.named import ContextName, build_context
    from attseg.context.non_local import NonLocalContext
    from attseg.context.pointwise import PointwiseContext, reach_of
    from attseg.context.pyramid_pooling import PyramidPooling

__all__ = [
    "ASPP",
    "ContextName",
    "GlobalPoolingContext",
    "NonLocalContext",
    "PointwiseContext",
    "PyramidPooling",
    "build_context",
    "rates_at",
    "reach_of",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.context.aspp": "ASPP rates_at",
        "attseg.context.global_pooling": "GlobalPoolingContext",
        "attseg.context.named": "ContextName build_context",
        "attseg.context.non_local": "NonLocalContext",
        "attseg.context.pointwise": "PointwiseContext reach_of",
        "attseg.context.pyramid_pooling": "PyramidPooling",
    },
)
