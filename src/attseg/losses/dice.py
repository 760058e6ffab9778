"""The Dice loss: how little prediction and labels of each class overlap."""

from __future__ import annotations

import torch
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.losses.pixels import check_labels


def dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """One minus the Dice coefficient of each class that is there, averaged; small classes count like large ones.

    With probabilities p and labels y (0 or 1) of a class, over the pixels of the whole batch that count, its coefficient is
    ``2 sum(p y) / (sum(p) + sum(y))``.

    Args:
        logits: (N, K, H, W).
        labels: (N, H, W) classes 0..K-1, or 255 where ignored.

    Returns:
        A scalar in 32 bits, in [0, 1]. Classes that no pixel is labelled with are not counted.

    Source:
        Milletari, Navab and Ahmadi, V-Net, 3DV 2016, section 3.
    Differs:
        V-Net squares the terms of the denominator, for one class; the plain sums are what most do since, with several.

    Example:
        >>> round(dice_loss(torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 4, dtype=torch.uint8)).item(), 4)  # 1 - 2 * 8 / (8 + 16)
        0.3333
    """
    check_labels(logits, labels)
    classes = torch.arange(logits.shape[1], device=logits.device)[:, None, None]
    truth = labels.unsqueeze(1) == classes  # (N, K, H, W); 255 is no class
    chances = logits.float().softmax(1) * (labels != IGNORE).unsqueeze(1)
    sizes = truth.sum((0, 2, 3))
    overlap = (chances * truth).sum((0, 2, 3))
    present = sizes > 0
    both = chances.sum((0, 2, 3)) + sizes
    coefficients = 2 * overlap / both.where(present, 1.0)
    return ((1 - coefficients) * present).sum() / present.sum().clamp(min=1)
