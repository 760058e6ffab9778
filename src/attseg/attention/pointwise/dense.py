"""The operator with every map built, in plain operators: what an export contains, and what is shown when maps are watched.

Each position's scores for all offsets come from one product with the filters. The H x W of them that fall on the map are then cut
out by a skew: rows of a matrix are shifted against each other by folding it anew at another width, without an index.
"""

from __future__ import annotations

import torch
from torch import Tensor

from attseg.attention.pointwise.terms import Direction, Normalize, Outside


def point_attention(
    values: Tensor, features: Tensor, filters: Tensor, *, direction: Direction, normalize: Normalize, outside: Outside
) -> Tensor:
    """Attend; every size may be symbolic. Shapes as in ``operator.point_attention``."""
    weights = attention_weights(features, filters, direction=direction, normalize=normalize, outside=outside)
    return apply_weights(values, weights)


def apply_weights(values: Tensor, weights: Tensor) -> Tensor:
    """z(t) = sum over s of A[s, t] x(s), for A of shape (N, sources H*W, targets H, W)."""
    n, _, height, width = values.shape
    return (values.flatten(2) @ weights.flatten(2)).reshape(n, -1, height, width)


def attention_weights(
    features: Tensor, filters: Tensor, *, direction: Direction, normalize: Normalize, outside: Outside
) -> Tensor:
    """A[s, t] of every pair, (N, sources H*W, targets H, W)."""
    n, _, height, width = features.shape
    table, inside = _filter_table(filters, height, width)
    if normalize == "softmax" and outside == "exclude":
        excluded = (1 - inside) * max(-1e30, torch.finfo(features.dtype).min / 4)
    else:
        excluded = torch.zeros_like(inside)
    scores = features.flatten(2).transpose(1, 2) @ table.flatten(1) + excluded.flatten()  # (N, H*W, 4HW)
    scores = scores.reshape(n * height, width, 2 * height, 2 * width).transpose(1, 2)
    scores = _skew(scores).unflatten(0, (n, height))  # (N, H, 2H, W, W): columns now lie on the map
    scores = _skew(scores.permute(0, 3, 4, 1, 2))  # (N, W, W, H, H): rows, too
    maps = scores.permute(0, 3, 1, 4, 2).reshape(n, height * width, height * width)  # of position p, over the map
    if normalize == "softmax":
        maps = maps.softmax(2 if direction == "collect" else 1)
    elif normalize == "count":
        maps = maps / (height * width)
    if direction == "collect":
        maps = maps.transpose(1, 2)
    return maps.reshape(n, height * width, height, width)


def _filter_table(filters: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Filters of every offset on a map, (D, 2H, 2W), 0 where there is none; and where there is one, (2H, 2W)."""
    rows, has_row = _offsets(height, filters.shape[1], filters.device)
    columns, has_column = _offsets(width, filters.shape[2], filters.device)
    inside = (has_row[:, None] & has_column[None]).to(filters.dtype)
    return filters.index_select(1, rows).index_select(2, columns) * inside, inside


def _offsets(length: int, filters: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Which filter is for each offset from 1 - length to length, and whether there is one; the last is for the skew to skip."""
    wanted = torch.arange(2 * length, device=device) - (length - 1) + filters // 2
    return wanted.clamp(0, filters - 1), (wanted >= 0) & (wanted < filters)


def _skew(rows: Tensor) -> Tensor:
    """Of (..., L, 2L) the (..., L, L) with out[i, j] = rows[i, j - i + L - 1].

    Read as one long row, a step down is a step of 2L; out wants one less, which folding the long row anew at 2L - 1 gives.
    """
    *lead, length, wide = rows.shape
    folded = rows.reshape(*lead, length * wide).narrow(-1, length - 1, length * (wide - 1))
    return folded.reshape(*lead, length, wide - 1)[..., :length]
