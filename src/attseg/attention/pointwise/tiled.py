"""The operator without its maps: tile by tile forward, and every tile computed again on the way back.

Nothing of the size of all pairs is ever held. Collect has every source of a target within one tile, so a softmax is complete at
once. In distribute a target receives from many tiles; as in an online softmax, sums are kept relative to a reference, which is
raised only where a score exceeds it by far.
"""

from __future__ import annotations

import torch
from torch import Tensor

from attseg.attention.pointwise.terms import Direction, Normalize, Outside
from attseg.attention.pointwise.tiles import EXCLUDED, Scores, Tile, accumulate, exact, make_tiles

SLACK = 30.0
"""How far a score may exceed its target's reference: e^30 is far from the largest 32-bit number."""

LEAST = 1e-20
"""Smaller weights become 0: numbers near the smallest 32-bit one make a matrix product on a CPU ten to a hundred times slower."""

LEAST_SCORE = -46.0
"""The score of the least weight: e^-46 is 1e-20."""


def forward(
    values: Tensor, features: Tensor, filters: Tensor, direction: Direction, normalize: Normalize, outside: Outside
) -> tuple[Tensor, Tensor]:
    """Attended values (N, C, H, W); and log-sum-exp over the sources of each target (N, H, W), where distribute needs it."""
    tiles, scores = _prepare(features, filters, normalize, outside)
    totals = torch.zeros_like(values, dtype=exact(values.dtype))
    summed = direction == "distribute" and normalize == "softmax"
    sums = totals.new_empty(values.shape[0], *values.shape[2:]) if summed else totals.new_empty(0)
    for n in range(len(values)):
        if summed:
            sums[n] = _distribute_softmax(totals[n], values[n], features[n], tiles, scores)
            continue
        for tile in tiles:
            weights = _weights(scores(tile, _anchors(tile, features[n])), normalize, _count(features)).to(values.dtype)
            if direction == "collect":
                attended = _matrix(tile.at_scored(values[n])) @ weights.T  # (C, anchors)
                _place(tile, totals[n], attended)
            else:
                _add_scored(tile, totals[n], tile.at_anchors(values[n]), weights)
    return totals.to(values.dtype), sums


def source_sums(features: Tensor, filters: Tensor, outside: Outside) -> Tensor:
    """Log-sum-exp over the sources of each target of distribute, (N, H, W), without attending."""
    nothing = features.new_empty(features.shape[0], 0, *features.shape[2:])
    return forward(nothing, features, filters, "distribute", "softmax", outside)[1]


def _distribute_softmax(total: Tensor, values: Tensor, features: Tensor, tiles: list[Tile], scores: Scores) -> Tensor:
    """Distribute one picture: ``total`` (C, H, W) becomes the attended values; gives the log-sum-exp of each target (H, W)."""
    reference = total.new_full(total.shape[1:], 2 * EXCLUDED)
    sums = torch.zeros_like(reference)
    for tile in tiles:
        found = scores(tile, _anchors(tile, features))
        known = tile.at_scored(reference[None])
        largest = found.amax(0).view_as(known)
        raised = largest > known + SLACK
        if raised.any():
            higher = torch.where(raised, largest, known)
            shrink = (known - higher).exp_()
            known.copy_(higher)
            tile.at_scored(sums[None]).mul_(shrink)
            tile.at_scored(total).mul_(shrink)
        weights = found.sub_(_matrix(known)).clamp_(min=LEAST_SCORE).exp_()
        tile.at_scored(sums[None]).add_(weights.sum(0).view_as(known))
        _add_scored(tile, total, tile.at_anchors(values), weights.to(values.dtype))
    total.div_(sums)
    return sums.log_().add_(reference)


def backward(
    gradient: Tensor,
    attended: Tensor,
    sums: Tensor,
    values: Tensor,
    features: Tensor,
    filters: Tensor,
    direction: Direction,
    normalize: Normalize,
    outside: Outside,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of values, features and filters from that of the attended values; ``attended`` and ``sums`` are ``forward``'s."""
    tiles, scores = _prepare(features, filters, normalize, outside)
    wide = exact(values.dtype)
    of_values = torch.zeros_like(values, dtype=wide)
    of_features = torch.empty_like(features)
    of_filters = torch.zeros_like(filters, dtype=wide)
    for n in range(len(values)):
        # (1, H, W): over targets, A . dA summed over sources
        inner = (gradient[n].to(wide) * attended[n]).sum(0, keepdim=True)
        for tile in tiles:
            anchors = _anchors(tile, features[n])
            found = scores(tile, anchors)
            if direction == "collect":
                weights = _weights(found, normalize, _count(features)).to(values.dtype)
                arriving = tile.at_anchors(gradient[n])  # (C, anchors)
                _add_scored(tile, of_values[n], arriving, weights)
                of_weights = arriving.T @ _matrix(tile.at_scored(values[n]))
                mean = tile.at_anchors(inner).T
            else:
                if normalize == "softmax":
                    weights = found.sub_(_matrix(tile.at_scored(sums[n][None]))).exp_()
                    weights = weights.masked_fill_(weights < LEAST, 0).to(values.dtype)
                else:
                    weights = _weights(found, normalize, _count(features)).to(values.dtype)
                arriving = _matrix(tile.at_scored(gradient[n]))  # (C, scored)
                _place(tile, of_values[n], arriving @ weights.T)
                of_weights = tile.at_anchors(values[n]).T @ arriving
                mean = _matrix(tile.at_scored(inner))
            if normalize == "softmax":
                of_scores = of_weights.sub_(mean).mul_(weights)
            else:
                of_scores = of_weights.div_(_count(features)) if normalize == "count" else of_weights
            _place(tile, of_features[n], scores.backward(tile, of_scores, anchors, of_filters).T)
    return of_values.to(values.dtype), of_features, of_filters.to(filters.dtype)


def _prepare(features: Tensor, filters: Tensor, normalize: Normalize, outside: Outside) -> tuple[list[Tile], Scores]:
    height, width = features.shape[2:]
    tiles = make_tiles((height, width), (filters.shape[1], filters.shape[2]), normalize=normalize, outside=outside)
    return tiles, Scores(filters, tiles, exclude=normalize == "softmax" and outside == "exclude")


def _weights(scores: Tensor, normalize: Normalize, count: int) -> Tensor:
    """The weights of anchors (rows) over positions, in place; the softmax is complete within a row."""
    if normalize == "softmax":
        torch.softmax(scores, 1, out=scores)
        return scores.masked_fill_(scores < LEAST, 0)
    return scores.div_(count) if normalize == "count" else scores


def _count(features: Tensor) -> int:
    return features.shape[2] * features.shape[3]


def _anchors(tile: Tile, features: Tensor) -> Tensor:
    """Features (anchors, D) of a tile from (D, H, W), contiguous."""
    return tile.at_anchors(features).T.contiguous()


def _matrix(maps: Tensor) -> Tensor:
    """(C, h, w) as (C, h*w): a view where whole rows are meant, in either memory layout."""
    return maps.flatten(1)


def _place(tile: Tile, maps: Tensor, parts: Tensor) -> None:
    """Write (C, anchors) to where the anchors of (C, H, W) are."""
    y, x = tile.rows, tile.columns
    maps[:, y.start : y.start + y.length, x.start : x.start + x.length] = parts.reshape(-1, y.length, x.length)


def _add_scored(tile: Tile, total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add the product of (C, anchors) and (anchors, scored) to the scored positions of (C, H, W)."""
    there = tile.at_scored(total)
    flat = there.flatten(1)
    if flat.data_ptr() == there.data_ptr():
        accumulate(flat, left, right)
    else:
        there.add_((left @ right).view_as(there))
