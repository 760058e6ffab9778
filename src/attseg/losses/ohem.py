"""Online hard example mining (OHEM): cross-entropy of the pixels that the network still gets wrong."""

from __future__ import annotations

import math

from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.losses.pixels import check_labels, pixel_losses, pixel_weights, weighted_mean


def ohem_loss(
    logits: Tensor, labels: Tensor, *, threshold: float = 0.7, share: float = 1 / 16, weight: Tensor | None = None
) -> Tensor:
    """Mean cross-entropy of the hard pixels: those whose own class has a probability below ``threshold``.

    If these are less than ``share`` of the batch, the hardest pixels fill them up to it, as far as there are that count.

    Args:
        logits: (N, K, H, W).
        labels: (N, H, W) classes 0..K-1, or 255 where ignored.
        threshold: Probability of its own class from which on a pixel is easy.
        share: Least share of the pixels of the batch, ignored ones too, that is kept.
        weight: (K,) factor of the pixels of each class in the mean; which pixels are hard does not depend on it.

    Returns:
        A scalar in 32 bits.

    Source:
        Shrivastava, Gupta and Girshick, CVPR 2016, for regions. For pixels it is a habit of training on Cityscapes, with
        thresholds of 0.7 or 0.9 and a sixteenth of the crop kept at least.
    Reading:
        Pixels as hard as the last one of the share are kept too. With several processes, each looks at its own part of the batch.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[[4.0, 0.0]], [[0.0, 0.0]]]])      # sure of the first pixel, not of the second
        >>> round(ohem_loss(logits, torch.zeros(1, 1, 2, dtype=torch.uint8)).item(), 4)  # log 2, of the second alone
        0.6931
    """
    check_labels(logits, labels)
    losses = pixel_losses(logits, labels)
    hardness = losses.detach().masked_fill(labels == IGNORE, -1.0)  # below that of every pixel that counts
    hard = hardness > -math.log(threshold)
    if least := math.ceil(share * hardness.numel()):
        hard |= hardness >= hardness.flatten().topk(least, sorted=False).values.min()
    return weighted_mean(losses, pixel_weights(labels, weight) * hard)
