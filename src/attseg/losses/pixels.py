"""Shared by all losses: the check of their inputs, and per-pixel values and weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.errors import UsageError


def check_labels(logits: Tensor, labels: Tensor) -> None:
    """Refuse what no loss is defined for, in all losses alike.

    On the CPU the values of the labels are checked at once. On CUDA nothing waits for them: a label that is no class ends in a
    device-side assertion at the next synchronisation, as in ``torch.nn.functional.cross_entropy``.

    Args:
        logits: (N, K, H, W) floats.
        labels: (N, H, W) integers.

    Raises:
        UsageError: Other shapes, labels that are no integers, or labels beyond the classes.
    """
    if logits.ndim != 4 or not logits.is_floating_point():
        raise UsageError(f"logits are {_described(logits)}; floats (N, K, H, W) were expected")
    n, classes, h, w = logits.shape
    if labels.shape != (n, h, w):
        advice = ""
        if labels.shape == (n, 1, h, w):
            advice = ": labels[:, 0]"
        elif labels.shape == logits.shape:
            advice = ": labels.argmax(1), if they are one-hot"
        raise UsageError(
            f"labels are {_described(labels)}, and logits {tuple(logits.shape)}; integers ({n}, {h}, {w}) were expected as "
            f"labels{advice}"
        )
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise UsageError(f"labels are {labels.dtype}; integers were expected, classes 0..{classes - 1}: labels.long()")
    if labels.is_cpu:
        wrong = _beyond(labels, classes)
        if wrong.any():
            values = labels[wrong].unique().tolist()
            listed = ", ".join(map(str, values[:8])) + (" and others" if len(values) > 8 else "")
            raise UsageError(
                f"{int(wrong.sum())} labels are no class: {listed}; 0..{classes - 1} were expected, and {IGNORE} where ignored"
            )
    elif labels.is_cuda:
        torch._assert_async(~_beyond(labels, classes).any(), f"a label is no class 0..{classes - 1} and not {IGNORE}")


def _beyond(labels: Tensor, classes: int) -> Tensor:
    """Which labels are neither a class nor ignored."""
    beyond = labels >= classes
    beyond &= labels != IGNORE
    return beyond if labels.dtype == torch.uint8 else beyond | (labels < 0)


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


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
