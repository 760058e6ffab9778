"""The weights of one branch of PSA for its features: of all pairs, or of chosen points and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from torch import Tensor

from attseg.attention.pairwise import check_pairs
from attseg.attention.pointwise import compact as absolute
from attseg.attention.pointwise import dense
from attseg.attention.pointwise.maps import attention_maps, check_points, source_sums
from attseg.attention.pointwise.operator import one_type
from attseg.attention.pointwise.terms import Direction, Normalize, Outside


class PointwiseWeights:
    """``PairWeights`` of point-wise spatial attention.

    What distribute's softmax sums over, all sources, is computed with the first point and kept for all that follow.

    Args:
        features: (N, D, H, W).
        filters: (D, MH, MW), by offset or, ``compact``, by place.
        direction: As for ``PointwiseSpatialAttention``, and likewise all that follow.
    """

    def __init__(
        self,
        features: Tensor,
        filters: Tensor,
        *,
        direction: Direction,
        compact: bool,
        normalize: Normalize,
        outside: Outside,
    ) -> None:
        self.features, self.filters = one_type(features, filters)
        self.direction: Direction = direction
        self.compact = compact
        self.normalize: Normalize = normalize
        self.outside: Outside = outside

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the shrunk map."""
        height, width = self.features.shape[2:]
        return height, width

    def of(self, points: Sequence[tuple[int, int]]) -> Tensor:
        """The maps of points (row, column), (N, P, H, W)."""
        check_points(points, *self.size)
        if self.compact:
            return absolute.point_weights(
                self.features, self.filters, points, direction=self.direction, normalize=self.normalize
            )
        return attention_maps(
            self.features,
            self.filters,
            direction=self.direction,
            points=points,
            normalize=self.normalize,
            outside=self.outside,
            sums=self._sums,
        )

    def all(self) -> Tensor:
        """The weights of all pairs (N, sources H*W, targets H, W).

        Raises:
            RuntimeError: They are too many.
        """
        check_pairs(len(self.features), self.size)
        if self.compact:
            return absolute.attention_weights(
                self.features, self.filters, direction=self.direction, normalize=self.normalize
            )
        return dense.attention_weights(
            self.features, self.filters, direction=self.direction, normalize=self.normalize, outside=self.outside
        )

    @cached_property
    def _sums(self) -> Tensor | None:
        if self.direction == "collect" or self.normalize != "softmax":
            return None
        return source_sums(self.features, self.filters, outside=self.outside)
