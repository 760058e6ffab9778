"""The operator as it is defined: a loop over every pair of positions. Slow, and meant to be read and tested against."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from attseg.attention.pointwise.terms import Direction, Normalize, Outside


def scores(features: Tensor, filters: Tensor, *, direction: Direction) -> tuple[Tensor, Tensor]:
    """S[s, t] of every pair, (N, H*W, H*W), and which pairs have a filter, (H*W, H*W)."""
    n, _, height, width = features.shape
    half_y, half_x = filters.shape[1] // 2, filters.shape[2] // 2
    places = list(itertools.product(range(height), range(width)))
    found = features.new_zeros(n, len(places), len(places))
    inside = torch.zeros(len(places), len(places), dtype=torch.bool, device=features.device)
    for (i, (sy, sx)), (j, (ty, tx)) in itertools.product(enumerate(places), enumerate(places)):
        if direction == "collect":
            (py, px), dy, dx = (ty, tx), sy - ty, sx - tx
        else:
            (py, px), dy, dx = (sy, sx), ty - sy, tx - sx
        if abs(dy) <= half_y and abs(dx) <= half_x:
            found[:, i, j] = features[:, :, py, px] @ filters[:, half_y + dy, half_x + dx]
            inside[i, j] = True
    return found, inside


def weights(
    features: Tensor, filters: Tensor, *, direction: Direction, normalize: Normalize, outside: Outside
) -> Tensor:
    """A[s, t] of every pair, (N, H*W, H*W): the scores, normalised."""
    found, inside = scores(features, filters, direction=direction)
    if normalize == "softmax":
        if outside == "exclude":
            found = found.masked_fill(~inside, -torch.inf)
        return found.softmax(1)
    return found / len(inside) if normalize == "count" else found


def point_attention(
    values: Tensor, features: Tensor, filters: Tensor, *, direction: Direction, normalize: Normalize, outside: Outside
) -> Tensor:
    """z(t) = sum over s of A[s, t] x(s), (N, C, H, W)."""
    attended = values.flatten(2) @ weights(features, filters, direction=direction, normalize=normalize, outside=outside)
    return attended.view_as(values)
