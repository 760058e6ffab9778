"""Losses, one per file, each usable alone; ``total`` adds up those of a recipe.

Each takes logits (N, K, H, W) and labels (N, H, W), integers of any kind with 255 where ignored, and gives a scalar in 32 bits,
also for logits in half precision. Where every pixel is ignored it is 0, with a zero gradient. All refuse the same wrong inputs:
other shapes, labels that are no integers, and labels that are neither a class nor 255.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.losses.boundary import boundary_loss
    from attseg.losses.cross_entropy import cross_entropy_loss
    from attseg.losses.dice import dice_loss
    from attseg.losses.lovasz import lovasz_loss
    from attseg.losses.ohem import ohem_loss
    from attseg.losses.total import make_loss, segmentation_loss

__all__ = [
    "boundary_loss",
    "cross_entropy_loss",
    "dice_loss",
    "lovasz_loss",
    "make_loss",
    "ohem_loss",
    "segmentation_loss",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.losses.boundary": "boundary_loss",
        "attseg.losses.cross_entropy": "cross_entropy_loss",
        "attseg.losses.dice": "dice_loss",
        "attseg.losses.lovasz": "lovasz_loss",
        "attseg.losses.ohem": "ohem_loss",
        "attseg.losses.total": "make_loss segmentation_loss",
    },
)
