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
        terms: Factor of each loss by name, 0 for none: ``cross-entropy``; ``ohem``, of the hard pixels alone; ``boundary``, in
            which pixels near a boundary weigh more; ``dice`` and ``lovasz``, of the overlap of each class.
        class_weights: Factor of each class in all but ``dice`` and ``lovasz``, from how often the training labels have it.
        weights: Factor of classes by name, times that of ``class_weights``; classes that are not named have 1.
        aux: Factor of the cross-entropy of each auxiliary output by name; an output that is not named counts nothing.
        ohem_threshold: Probability of its own class from which on a pixel is not hard.
        ohem_share: Least share of the pixels of a batch that ``ohem`` keeps, the hardest.
        boundary_width: Distance to another label up to which a pixel weighs more, in pixels.
        boundary_gain: What is added to the weight of a pixel that touches another label.
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
