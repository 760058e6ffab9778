"""Cross-entropy over the pixels that count."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.losses.pixels import check_labels, pixel_weights


def cross_entropy_loss(logits: Tensor, labels: Tensor, *, weight: Tensor | None = None) -> Tensor:
    """Mean cross-entropy of the pixels whose label is not 255.

    Args:
        logits: (N, K, H, W).
        labels: (N, H, W) classes 0..K-1, or 255 where ignored.
        weight: (K,) factor of the pixels of each class; the mean is weighted with them.

    Returns:
        A scalar in 32 bits.

    Example:
        >>> import torch
        >>> round(cross_entropy_loss(torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 4, dtype=torch.uint8)).item(), 4)  # log 2
        0.6931
    """
    check_labels(logits, labels)
    total = F.cross_entropy(logits.float(), labels.long(), weight, ignore_index=IGNORE, reduction="sum")
    share = pixel_weights(labels, weight).sum()
    return total / (share + (share == 0))  # nothing counts: 0 / 1
