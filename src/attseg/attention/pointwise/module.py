"""The PSA module: Zhao et al., Point-wise Spatial Attention Network, ECCV 2018, section 3.3, figures 2 and 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.pairwise import Pairwise
from attseg.attention.pointwise import compact as absolute
from attseg.attention.pointwise import dense
from attseg.attention.pointwise.operator import one_type, point_attention
from attseg.attention.pointwise.terms import Direction, Normalize, Outside, check_terms
from attseg.attention.pointwise.weights import PointwiseWeights
from attseg.attention.tap import Tap
from attseg.errors import UsageError
from attseg.layers import ConvNormAct, resize


class PointwiseSpatialAttention(nn.Module):
    """Gathers for every position what all others hold, and gives every other what it holds, by relative offset (PSA).

    Args:
        channels: Channels of the input and of the output.
        reach: Largest offset, in rows and columns of the (shrunk) map, for which there is a filter; for ``compact`` the places
            of a map, less one.
        inner: Channels of values and features.
        directions: ``collect``, ``distribute``, or both.
        compact: One filter for every absolute place instead of every offset.
        normalize: ``softmax`` over the sources of each target; ``count`` divides by their number (eq. 8).
        outside: What pairs do whose offset has no filter, as in pictures larger than the training crops: ``exclude`` leaves them
            out; ``zero`` gives them the score 0, with which they take part in a softmax.
        shrink: How many times smaller, along each side, the map is on which attention is computed.
        align_corners: How maps are brought to that size and back.

    Raises:
        UsageError: No direction, an unknown one, a number out of range.

    Source:
        Section 3.3, eq. 8 and 9, figures 2 and 3.
    Reading:
        "Several convolutional layers" before the filters are two 1x1 convolutions with batch normalisation and ReLU; the first
        reduces the channels and gives the values too, as in the released code. The filters have no bias.
        Eq. 8 divides by the number of positions; the released code, which gave the paper's figures, takes a softmax over the
        sources in both directions. Divided: row ``psanet:readings/count``.
        The paper does not say that maps are shrunk; the released code halves them. Not shrunk: row ``psanet:readings/shrink-1``.
        The paper has filters for every offset of its fixed crop. Larger pictures have offsets without one: such pairs are left
        out, as they never were seen in training. The released operator gives them the score 0. Rows
        ``psanet:readings/half-exclude`` and ``psanet:readings/half-zero`` have filters for half of the crop, so that such pairs
        are there.
        ``compact`` knows the places of one size of map only; at others its filters are resized.

    Example:
        >>> import torch
        >>> psa = PointwiseSpatialAttention(16, reach=(3, 4), inner=8)
        >>> psa(torch.zeros(2, 16, 11, 6)).shape
        torch.Size([2, 16, 11, 6])
    """

    def __init__(
        self,
        channels: int,
        *,
        reach: tuple[int, int],
        inner: int = 512,
        directions: Sequence[Direction] = ("collect", "distribute"),
        compact: bool = False,
        normalize: Normalize = "softmax",
        outside: Outside = "exclude",
        shrink: int = 2,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        if not directions or len(set(directions)) != len(directions):
            raise UsageError(f"the directions are {tuple(directions)}; one or two different ones were expected")
        for direction in directions:
            check_terms(direction, normalize, outside)
        if inner < 1 or shrink < 1 or min(reach) < 0:
            raise UsageError(
                f"inner is {inner}, shrink {shrink} and reach {tuple(reach)}; at least 1, 1 and (0, 0) were expected"
            )
        self.shrink = shrink
        self.align_corners = align_corners
        self.branches = nn.ModuleDict(
            {
                direction: PointwiseBranch(
                    channels, inner, reach, direction=direction, compact=compact, normalize=normalize, outside=outside
                )
                for direction in sorted(directions)
            }
        )
        self.project = ConvNormAct(len(self.branches) * inner, channels)

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The sum over all other positions, at every position: (N, C, H, W)."""
        attended = [branch(self._shrunk(branch.reduce(maps))) for branch in self._branches()]
        gathered = self.project(torch.cat(attended, 1))
        if self.shrink == 1:
            return gathered
        if self.align_corners:  # as released, to k * shrink + 1; a map of another size needs one step more
            h, w = gathered.shape[-2:]
            grown = (h - 1) * self.shrink + 1, (w - 1) * self.shrink + 1
            gathered = resize(gathered, grown, align_corners=True)
        return resize(gathered, maps.shape[-2:], align_corners=self.align_corners)

    def _branches(self) -> list[PointwiseBranch]:
        return [cast(PointwiseBranch, branch) for branch in self.branches.values()]

    def _shrunk(self, maps: Tensor) -> Tensor:
        if self.shrink == 1:
            return maps
        h, w = maps.shape[-2:]
        size = (h - 1) // self.shrink + 1, (w - 1) // self.shrink + 1
        return resize(maps, size, align_corners=self.align_corners)


class PointwiseBranch(Pairwise):
    """One direction: from reduced maps to features, from features by the filters to attention, and the values by it."""

    def __init__(
        self,
        channels: int,
        inner: int,
        reach: tuple[int, int],
        *,
        direction: Direction,
        compact: bool,
        normalize: Normalize,
        outside: Outside,
    ) -> None:
        super().__init__()
        self.direction: Direction = direction
        self.compact = compact
        self.normalize: Normalize = normalize
        self.outside: Outside = outside
        rows, columns = (side + 1 if compact else 2 * side + 1 for side in reach)
        self.reduce = ConvNormAct(channels, inner)
        self.adapt = ConvNormAct(inner, inner)
        self.filters = nn.Parameter(torch.empty(inner, rows, columns))
        self.attention = Tap("pairwise", "psa")
        nn.init.uniform_(self.filters, -(inner**-0.5), inner**-0.5)  # as a 1x1 convolution begins

    def forward(self, values: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Attend to reduced maps (N, inner, h, w)."""
        features = self.adapt(values)
        if self.attention.watched:
            return dense.apply_weights(values, self.attention(self._weights(features).all()))
        if self.compact:
            filters = one_type(features, self.filters)[1]
            return absolute.point_attention(
                values, features, filters, direction=self.direction, normalize=self.normalize
            )
        return point_attention(
            values, features, self.filters, direction=self.direction, normalize=self.normalize, outside=self.outside
        )

    def pair_weights(self, inputs: Tensor) -> PointwiseWeights:
        """The weights for reduced maps (N, inner, h, w)."""
        return self._weights(self.adapt(inputs))

    def within_reach(self, size: tuple[int, int]) -> Tensor | None:
        """The offsets that have a filter, where pairs without one are left out."""
        if self.compact or self.outside == "zero":
            return None
        rows, columns = (torch.arange(side) for side in size)
        high, wide = (side // 2 for side in self.filters.shape[1:])
        down = (rows[:, None, None, None] - rows[:, None]).abs() <= high  # (sources H, 1, targets H, 1)
        right = (columns[:, None, None] - columns).abs() <= wide  # (sources W, 1, targets W)
        return (down & right).flatten(0, 1)

    def _weights(self, features: Tensor) -> PointwiseWeights:
        return PointwiseWeights(
            features,
            self.filters,
            direction=self.direction,
            compact=self.compact,
            normalize=self.normalize,
            outside=self.outside,
        )
