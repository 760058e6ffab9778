"""Attention maps: captured, read at any pixel, edited, drawn, and measured over a split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.explain.ablation import Ablation, ablate
    from attseg.explain.capture import AttentionMap, edited
    from attseg.explain.change import MapChange, without
    from attseg.explain.looked import Looked, Pairs, look
    from attseg.explain.pixel import PixelAttention
    from attseg.explain.switching import find_maps, switch
    from attseg.explain.views import draw_map, heat_map

__all__ = [
    "Ablation",
    "AttentionMap",
    "Looked",
    "MapChange",
    "Pairs",
    "PixelAttention",
    "ablate",
    "draw_map",
    "edited",
    "find_maps",
    "heat_map",
    "look",
    "switch",
    "without",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.explain.ablation": "Ablation ablate",
        "attseg.explain.capture": "AttentionMap edited",
        "attseg.explain.change": "MapChange without",
        "attseg.explain.looked": "Looked Pairs look",
        "attseg.explain.pixel": "PixelAttention",
        "attseg.explain.switching": "find_maps switch",
        "attseg.explain.views": "draw_map heat_map",
    },
)
