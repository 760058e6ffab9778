"""Maps without relative offsets, the paper's "compact" row: the filter of a pair depends on the absolute place it speaks of.

    collect      S[s, t] = f(t) . w[:, s]          distribute      S[s, t] = f(s) . w[:, t]

Scores are plain inner products of two lists of vectors, so the usual attention kernels apply, and no map is built.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from attseg.attention.pointwise.terms import Direction, Normalize
from attseg.layers import resize

TARGETS = 256
"""Targets whose scores are summed together, where only sums are wanted."""


def point_attention(
    values: Tensor, features: Tensor, filters: Tensor, *, direction: Direction, normalize: Normalize
) -> Tensor:
    """z(t) = sum over s of A[s, t] x(s), (N, C, H, W), without the map; shapes as for ``attention_weights``."""
    n, _, height, width = values.shape
    asking, answering = _sides(features, filters, direction)
    gifts = values.flatten(2).transpose(1, 2)  # (N, H*W, C)
    if normalize == "softmax":
        targets, sources, gifts = (side[:, None].contiguous() for side in (asking, answering, gifts))
        attended = F.scaled_dot_product_attention(targets, sources, gifts, scale=1.0)[:, 0]
    else:
        attended = asking @ (answering.transpose(1, 2) @ gifts)
        attended = attended / (height * width) if normalize == "count" else attended
    return attended.transpose(1, 2).reshape(n, -1, height, width)


def attention_weights(features: Tensor, filters: Tensor, *, direction: Direction, normalize: Normalize) -> Tensor:
    """A[s, t] of every pair, (N, sources H*W, targets H, W).

    Args:
        features: (N, D, H, W).
        filters: (D, MH, MW), one for each place of a map; brought bilinearly to the size of the map at hand.
        direction: As for ``point_attention`` of the relative operator.
        normalize: Likewise.
    """
    height, width = features.shape[2:]
    asking, answering = _sides(features, filters, direction)
    scores = answering @ asking.transpose(1, 2)  # (N, sources, targets)
    if normalize == "softmax":
        scores = scores.softmax(1)
    elif normalize == "count":
        scores = scores / (height * width)
    return scores.unflatten(2, (height, width))


def point_weights(
    features: Tensor,
    filters: Tensor,
    points: Sequence[tuple[int, int]],
    *,
    direction: Direction,
    normalize: Normalize,
) -> Tensor:
    """The maps of points (row, column) alone, (N, P, H, W); shapes and words as for ``attention_weights``.

    Of collect A[s, p] for every source s, of distribute A[p, t] for every target t. A softmax of the latter sums over the scores
    of all pairs, which are taken some targets at a time.
    """
    height, width = features.shape[2:]
    asking, answering = _sides(features, filters, direction)
    chosen = [y * width + x for y, x in points]
    if direction == "collect":
        scores = asking[:, chosen] @ answering.transpose(1, 2)  # (N, P, sources)
    else:
        scores = answering[:, chosen] @ asking.transpose(1, 2)  # (N, P, targets)
    if normalize == "count":
        scores = scores / (height * width)
    elif normalize == "softmax" and direction == "collect":
        scores = scores.softmax(2)
    elif normalize == "softmax":
        sums = [(answering @ some.transpose(1, 2)).logsumexp(1) for some in asking.split(TARGETS, 1)]
        scores = (scores - torch.cat(sums, 1)[:, None]).exp()
    return scores.unflatten(2, (height, width))


def _sides(features: Tensor, filters: Tensor, direction: Direction) -> tuple[Tensor, Tensor]:
    """Features of the targets and of the sources, each (N, H*W, D)."""
    theirs = features.flatten(2).transpose(1, 2)
    places = resize(filters[None].to(features.dtype), features.shape[2:]).flatten(2).transpose(1, 2).expand_as(theirs)
    return (theirs, places) if direction == "collect" else (places, theirs)
