"""Attention maps: captured, read at any pixel, edited, drawn, and measured over a split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.explain.ablation import Ablation as Ablation
    from attseg.explain.ablation import ablate as ablate
    from attseg.explain.capture import AttentionMap as AttentionMap
    from attseg.explain.capture import edited as edited
    from attseg.explain.change import MapChange as MapChange
    from attseg.explain.change import without as without
    from attseg.explain.looked import Looked as Looked
    from attseg.explain.looked import Pairs as Pairs
    from attseg.explain.looked import look as look
    from attseg.explain.pixel import PixelAttention as PixelAttention
    from attseg.explain.switching import find_maps as find_maps
    from attseg.explain.switching import switch as switch
    from attseg.explain.views import draw_map as draw_map
    from attseg.explain.views import heat_map as heat_map

__getattr__, __dir__ = lazy(__name__)
