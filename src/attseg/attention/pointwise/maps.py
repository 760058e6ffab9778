"""The maps of chosen points alone, for looking at: a row of the operator's weights, without the others."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from attseg.attention.pointwise import tiled
from attseg.attention.pointwise.operator import one_type
from attseg.attention.pointwise.terms import Direction, Normalize, Outside, check_filters, check_terms
from attseg.attention.pointwise.tiles import EXCLUDED, exact
from attseg.errors import UsageError


def attention_maps(
    features: Float[Tensor, "n d h w"],
    filters: Float[Tensor, "d mh mw"],
    *,
    direction: Direction,
    points: Sequence[tuple[int, int]],
    normalize: Normalize = "softmax",
    outside: Outside = "exclude",
    sums: Float[Tensor, "n h w"] | None = None,
) -> Float[Tensor, "n p h w"]:
    """The maps of some points: the weights with which ``point_attention`` lets them gather or give.

    Only these maps are computed. One thing may cost more: a softmax over the sources of each target involves, for distribute, all
    sources. These sums are computed first, in little memory but in the time of scoring all pairs; give them as ``sums`` where
    more points of the same features will follow.

    Args:
        features: (N, D, H, W).
        filters: (D, MH, MW), as for ``point_attention``.
        direction: ``collect``: the map of point p holds A[s, p] for every source s; ``distribute``: A[p, t] for every target t.
        points: (row, column) of each point, at least one.
        normalize: As for ``point_attention``.
        outside: As for ``point_attention``.
        sums: What ``source_sums`` gave for these features; only distribute with a softmax has a use for it.

    Returns:
        (N, P, H, W). A map of collect sums to 1 where a softmax normalises; of distribute, what every target receives does.

    Raises:
        UsageError: No point, a point beyond the map, or what ``point_attention`` refuses.

    Source:
        Zhao et al., PSANet, ECCV 2018, figure 6.

    Example:
        >>> maps = attention_maps(
        ...     torch.randn(1, 4, 5, 7), torch.randn(4, 9, 13), direction="collect", points=[(0, 0), (2, 3)]
        ... )
        >>> maps.shape, bool(torch.allclose(maps.sum((2, 3)), torch.ones(1, 2)))
        (torch.Size([1, 2, 5, 7]), True)
    """
    check_terms(direction, normalize, outside)
    check_filters(features, filters)
    height, width = features.shape[2:]
    check_points(points, height, width)
    features, filters = one_type(features, filters)
    scores = torch.stack([_scores(features, filters, y, x, outside, normalize) for y, x in points], 1)
    if normalize == "count":
        return scores / (height * width)
    if normalize == "none":
        return scores
    if direction == "collect":
        return scores.flatten(2).softmax(2).view_as(scores)
    if sums is None:
        sums = source_sums(features, filters, outside=outside)
    return (scores - sums[:, None]).exp()


def source_sums(
    features: Float[Tensor, "n d h w"], filters: Float[Tensor, "d mh mw"], *, outside: Outside = "exclude"
) -> Float[Tensor, "n h w"]:
    """Logarithm of the sum, over all sources, of the exponentials of their distribute scores for each target, (N, H, W)."""
    check_filters(features, filters)
    features, filters = one_type(features.detach(), filters.detach())
    return tiled.source_sums(features, filters, outside)


def check_points(points: Sequence[tuple[int, int]], height: int, width: int) -> None:
    """Refuse an empty list of points (row, column), and points beyond a map."""
    if len(points) == 0:
        raise UsageError("no point was given; at least one (row, column) was expected")
    for y, x in points:
        if not (0 <= y < height and 0 <= x < width):
            raise UsageError(
                f"the point ({y}, {x}) (row, column) lies outside the map, which has {height} rows and {width} columns"
            )


def _scores(features: Tensor, filters: Tensor, y: int, x: int, outside: Outside, normalize: Normalize) -> Tensor:
    """Scores (N, H, W) of one position for all."""
    (height, width), (high, wide) = features.shape[2:], filters.shape[1:]
    top, left = y - high // 2, x - wide // 2  # where the filters lie on the map
    rows, columns = slice(max(0, top), min(height, top + high)), slice(max(0, left), min(width, left + wide))
    window = filters[:, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    out = normalize == "softmax" and outside == "exclude"
    scores = features.new_full((len(features), height, width), EXCLUDED if out else 0.0, dtype=exact(features.dtype))
    scores[:, rows, columns] = torch.einsum("nd,dyx->nyx", features[:, :, y, x], window).to(scores.dtype)
    return scores
