"""The Lovasz-softmax loss: Berman, Rannen Triki and Blaschko, CVPR 2018, arXiv 1705.08790."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.losses.pixels import check_labels

Per = Literal["batch", "image"]


def lovasz_loss(logits: Tensor, labels: Tensor, *, per: Per = "batch") -> Tensor:
    """A surrogate of one minus the mean IoU: the Lovasz extension of the Jaccard loss, over the softmax's errors.

    The error of a pixel for a class is what its probability is off by. Sorted from the largest, each counts with what its
    pixel adds to the Jaccard loss of the class when it joins those before it.

    Args:
        logits: (N, K, H, W).
        labels: (N, H, W) classes 0..K-1, or 255 where ignored.
        per: ``batch`` takes all pixels together, ``image`` averages over the pictures that have a pixel that counts.

    Returns:
        A scalar in 32 bits, in [0, 1]: the mean over the classes that some pixel is labelled with.

    Source:
        Section 2.2, equations 9 and 11, algorithm 1.
    Differs:
        What a pixel adds is written out instead of subtracted: 1 / U where it is of the class, I / (U (U - 1)) where it is not,
        with the intersection I and the union U behind it. The difference of neighbours, in 32 bits, is mostly rounding at a
        million pixels.

    Example:
        >>> sure = torch.tensor([[[[9.0]], [[-9.0]]]]).expand(1, 2, 4, 4)
        >>> round(lovasz_loss(sure, torch.zeros(1, 4, 4, dtype=torch.uint8)).item(), 4)
        0.0
    """
    check_labels(logits, labels)
    chances = logits.float().softmax(1)
    if per == "batch":
        return _over(chances, labels)
    counted = (labels != IGNORE).flatten(1).any(1)
    losses = [_over(chances[index : index + 1], labels[index : index + 1]) for index in range(len(labels))]
    return torch.stack(losses).sum() / counted.sum().clamp(min=1)  # a picture that does not count gives 0


def _over(chances: Tensor, labels: Tensor) -> Tensor:
    """The loss over all pixels together."""
    counts = labels != IGNORE
    losses = [_of_class(chances[:, index], labels == index, counts) for index in _present(labels, chances.shape[1])]
    return torch.stack(losses).mean() if losses else chances.sum() * 0


def _present(labels: Tensor, num_classes: int) -> list[int]:
    """The classes among the labels; all of them where labels have no values to look at."""
    if labels.is_meta:
        return list(range(num_classes))
    return [index for index in labels.unique().tolist() if index != IGNORE]


def _of_class(chances: Tensor, truth: Tensor, counts: Tensor) -> Tensor:
    """The Lovasz extension for one class: probabilities, whether a pixel is of it, and whether it counts, each (N, H, W)."""
    errors = torch.where(truth, 1 - chances, chances).masked_fill(~counts, -1.0).flatten()
    errors, order = errors.sort(descending=True)  # pixels that do not count come last
    truth = truth.flatten()[order]
    found = truth.cumsum(0)  # pixels of the class among the first so many
    intersection = found[-1] - found
    union = found[-1] + (~truth).cumsum(0)
    added = torch.where(truth, 1 / union, intersection / (union * (union - 1).clamp(min=1)))
    return (errors.clamp(min=0) * added).sum()
