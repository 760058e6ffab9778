"""FLOP formulas of the operator, for PyTorch's counter, which cannot look inside it.

By its definition, pair by pair and two a multiply-add; the tiles do a little more at their edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

Shape = Sequence[int]


def pairs_in_reach(size: Shape, filters: Shape) -> int:
    """Pairs of positions of a map (H, W) whose offset has one of the filters (MH, MW).

    Example:
        >>> pairs_in_reach((1, 4), (1, 3))  # each with itself, and three neighbours both ways
        10
    """
    return prod(
        side + 2 * sum(side - offset for offset in range(1, min(bank // 2, side - 1) + 1))
        for side, bank in zip(size, filters, strict=True)
    )


def forward_flops(
    values: Shape, features: Shape, filters: Shape, direction: str, normalize: str, outside: str, **_: Any
) -> int:
    """Of the scores, and of what is gathered with them; arguments are those of the operator, shapes instead of tensors."""
    scores, gathering = _products(values, features, filters, normalize, outside)
    return 2 * (scores + gathering)


def backward_flops(
    gradient: Shape,
    attended: Shape,
    sums: Shape,
    values: Shape,
    features: Shape,
    filters: Shape,
    direction: str,
    normalize: str,
    outside: str,
    **_: Any,
) -> int:
    """Of the scores, which are computed again, and of the gradients of values, weights, features and filters."""
    scores, gathering = _products(values, features, filters, normalize, outside)
    return 2 * (3 * scores + 2 * gathering)


def _products(values: Shape, features: Shape, filters: Shape, normalize: str, outside: str) -> tuple[int, int]:
    """Multiply-adds of all scores, and of gathering all values."""
    n, channels, *size = values
    scored = pairs_in_reach(size, filters[1:])
    gathered = prod(size) ** 2 if normalize == "softmax" and outside == "zero" else scored
    return n * scored * features[1], n * gathered * channels
