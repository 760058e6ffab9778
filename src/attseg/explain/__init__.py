"""What attention does: maps captured, read at any pixel, edited, drawn, and measured over a split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.explain.capture import AttentionMap
    from attseg.explain.looked import Looked, Pairs, look
    from attseg.explain.pixel import PixelAttention
    from attseg.explain.views import draw_map, heat_map

__all__ = [
    "AttentionMap",
    "Looked",
    "Pairs",
    "PixelAttention",
    "draw_map",
    "heat_map",
    "look",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.explain.capture": "AttentionMap",
        "attseg.explain.looked": "Looked Pairs look",
        "attseg.explain.pixel": "PixelAttention",
        "attseg.explain.views": "draw_map heat_map",
    },
)
