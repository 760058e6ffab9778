"""What the losses that look at one pixel after the other are made of: a value, and a weight, for each of them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from attseg.data.classes import IGNORE


def pixel_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """(N, H, W) Cross-entropy of each pixel in 32 bits; 0 where ignored."""
    return F.cross_entropy(logits.float(), labels.long(), ignore_index=IGNORE, reduction="none")


def pixel_weights(labels: Tensor, weight: Tensor | None) -> Tensor:
    """(N, H, W) The factor of each pixel's class: 1 where ``weight`` is None, 0 where ignored."""
    counts = labels != IGNORE
    return counts.float() if weight is None else weight[labels.long().where(counts, 0)] * counts


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """The mean of ``values`` with these weights; 0 where all of them are 0."""
    share = weights.sum()
    return (values * weights).sum() / (share + (share == 0))
