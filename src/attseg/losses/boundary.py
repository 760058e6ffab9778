"""Cross-entropy in which the pixels near the boundary of two labels weigh more."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.losses.pixels import check_labels, pixel_losses, pixel_weights, weighted_mean


def boundary_loss(
    logits: Tensor, labels: Tensor, *, width: int = 5, gain: float = 4.0, weight: Tensor | None = None
) -> Tensor:
    """Mean cross-entropy with the weights of ``boundary_weights``, and those of the classes if there are any.

    Args:
        logits: (N, K, H, W).
        labels: (N, H, W) classes 0..K-1, or 255 where ignored.
        width: Distance up to which a pixel is near, in pixels.
        gain: What is added to the weight of a pixel that touches another label; 0 is plain cross-entropy.
        weight: (K,) factor of the pixels of each class.

    Returns:
        A scalar in 32 bits.

    Source:
        Ronneberger, Fischer and Brox, U-Net, MICCAI 2015, equation 2, has the idea.
    Differs:
        There the weight falls off as a Gaussian with the distances to two objects, here as a line with the distance to another
        label. Width and gain are not measured.
    """
    check_labels(logits, labels)
    weights = pixel_weights(labels, weight) * boundary_weights(labels, width=width, gain=gain)
    return weighted_mean(pixel_losses(logits, labels), weights)


def boundary_weights(labels: Tensor, *, width: int, gain: float) -> Tensor:
    """(N, H, W) ``1 + gain * (width + 1 - d) / width`` up to a distance d = ``width``, and 1 from there on.

    The distance of a pixel is that to the nearest pixel of another label, along the longer axis: 1 for neighbours, diagonal
    ones too. Ignored pixels have no label: next to them is no boundary, and they weigh 1.

    Example:
        >>> import torch
        >>> boundary_weights(torch.tensor([[[0, 0, 0, 0, 1, 255]]]), width=2, gain=4.0).tolist()
        [[[1.0, 1.0, 3.0, 5.0, 5.0, 1.0]]]
    """
    ignored = labels == IGNORE
    highest = labels.float().masked_fill(ignored, -1.0).unsqueeze(1)
    lowest = labels.float().unsqueeze(1)  # 255 is above every class
    near = torch.zeros_like(highest)
    for _ in range(width):  # the window of one distance is the pool of that of the distance before
        highest = F.max_pool2d(highest, 3, stride=1, padding=1)
        lowest = -F.max_pool2d(-lowest, 3, stride=1, padding=1)
        near += highest > lowest
    return (1 + gain / width * near).squeeze(1).masked_fill(ignored, 1.0)
