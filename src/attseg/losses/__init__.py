"""Losses, one per file, each usable alone; ``total`` adds up those of a recipe.

Each takes logits (N, K, H, W) and labels (N, H, W), integers of any kind with 255 where ignored, and gives a scalar in 32 bits,
also for logits in half precision. Where every pixel is ignored it is 0, with a zero gradient. All refuse the same wrong inputs:
other shapes, labels that are no integers, and labels that are neither a class nor 255.

A recipe's loss ``some-name`` is the function ``some_name_loss``, and its options are the fields of ``LossSpec`` that begin with
``some_name_``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.losses.boundary import boundary_loss as boundary_loss
    from attseg.losses.cross_entropy import cross_entropy_loss as cross_entropy_loss
    from attseg.losses.dice import dice_loss as dice_loss
    from attseg.losses.lovasz import lovasz_loss as lovasz_loss
    from attseg.losses.ohem import ohem_loss as ohem_loss
    from attseg.losses.total import make_loss as make_loss
    from attseg.losses.total import segmentation_loss as segmentation_loss

__getattr__, __dir__ = lazy(__name__, "ClassWeights LossName LossSpec")

ClassWeights = Literal["none", "median-frequency", "sqrt-median-frequency"]
LossName = Literal["cross-entropy", "ohem", "boundary", "dice", "lovasz"]


@dataclass(frozen=True, kw_only=True)
class LossSpec:
    """The loss, over pixels whose label is not 255: a weighted sum of terms.

    Args:
        terms: Weight of each loss by name, 0 for none: ``cross-entropy``; ``ohem``, on hard pixels only; ``boundary``, in which
            pixels near a boundary weigh more; ``dice`` and ``lovasz``, on the overlap of each class.
        class_weights: Class weights from the class frequencies of the training labels, in all losses but ``dice`` and ``lovasz``.
        weights: Further class weights by name, multiplied by those of ``class_weights``; 1 for classes that are not named.
        aux: Weight of the cross-entropy of each auxiliary output by name; 0 for outputs that are not named.
        ohem_threshold: Pixels whose class has at least this probability are not hard.
        ohem_share: Least share of the pixels of a batch that ``ohem`` keeps, the hardest ones.
        boundary_width: Pixels up to this distance from another label weigh more.
        boundary_gain: Added to the weight of a pixel that touches another label, and less with the distance.
        lovasz_per: ``batch`` takes all pixels of a batch together, ``image`` averages over its images.
    """

    terms: dict[LossName, float] = field(default_factory=lambda: {"cross-entropy": 1.0})
    class_weights: ClassWeights = "none"
    weights: dict[str, float] = field(default_factory=dict)
    aux: dict[str, float] = field(default_factory=dict)
    ohem_threshold: float = 0.7
    ohem_share: float = 0.0625
    boundary_width: int = 5
    boundary_gain: float = 4.0
    lovasz_per: Literal["batch", "image"] = "batch"
