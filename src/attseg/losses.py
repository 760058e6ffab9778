"""Cross-entropy over the pixels that count, for the logits of a model and for its auxiliary ones."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.errors import UsageError, unknown
from attseg.models.frame import Segmentation


def segmentation_loss(
    output: Segmentation, labels: Tensor, *, weight: Tensor | None = None, aux: Mapping[str, float] | None = None
) -> Tensor:
    """Mean cross-entropy of the pixels whose label is not 255, plus that of each auxiliary output times its factor.

    Args:
        output: What a model returned, in training mode if auxiliary outputs are meant to count.
        labels: (N, H, W) classes 0..K-1, or 255 where ignored; integers of any kind.
        weight: (K,) factor of the pixels of each class; the mean is weighted with them.
        aux: Factor of each auxiliary output by name; outputs that are not named do not count.

    Returns:
        A scalar in 32 bits, also under mixed precision; 0 with a zero gradient if every pixel is ignored.

    Raises:
        UsageError: ``aux`` names an output that the model does not have.
    """
    labels = labels.long()
    loss = _cross_entropy(output.logits, labels, weight)
    for name, factor in (aux or {}).items():
        if name not in output.aux:
            if not output.aux:
                raise UsageError(f"the loss names the auxiliary output {name!r}, but the model has none; leave it out")
            raise unknown("auxiliary output", name, output.aux)
        loss = loss + factor * _cross_entropy(output.aux[name], labels, weight)
    return loss


def _cross_entropy(logits: Tensor, labels: Tensor, weight: Tensor | None) -> Tensor:
    total = F.cross_entropy(logits.float(), labels, weight, ignore_index=IGNORE, reduction="sum")
    counts = labels != IGNORE
    share = counts.sum() if weight is None else (weight[labels.where(counts, 0)] * counts).sum()
    return total / (share + (share == 0))  # nothing counts: 0 / 1
