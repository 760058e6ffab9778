"""Criss-cross attention: Huang et al., CCNet, ICCV 2019, arXiv 1811.11721, section 3.2."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.pairwise import Pairwise, check_pairs
from attseg.attention.pointwise.dense import apply_weights
from attseg.attention.pointwise.maps import check_points
from attseg.attention.pointwise.terms import Direction
from attseg.attention.tap import Tap
from attseg.errors import UsageError


class CrissCrossAttention(nn.Module):
    """Every position gathers from its row and its column, several times over, and so from all positions.

    The passes share their convolutions. What is gathered is scaled by a number that begins at 0, and added to the input.

    Args:
        channels: Channels of the input and of the output.
        reduction: Factor by which queries and keys reduce the channels.
        recurrence: Number of passes; two connect all positions.

    Raises:
        UsageError: A reduction or a recurrence below 1.

    Source:
        Sections 3.2 and 3.3, equations 1 and 2: 1x1 convolutions give queries and keys of C / 8 channels and values of C. The
        softmax is over the H + W - 1 positions of the cross, and two loops share their parameters (R = 2).
    Reading:
        That the result is scaled by a learned number which begins at 0 is from the authors' released code.

    Example:
        >>> import torch
        >>> CrissCrossAttention(16)(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 16, 5, 7])
    """

    def __init__(self, channels: int, *, reduction: int = 8, recurrence: int = 2) -> None:
        super().__init__()
        if reduction < 1 or recurrence < 1:
            raise UsageError(
                f"reduction and recurrence of criss-cross attention are {reduction} and {recurrence}; at least 1 was expected"
            )
        inner = max(channels // reduction, 1)
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.scale = nn.Parameter(torch.zeros(()))
        self.passes = nn.ModuleList(CrissCrossPass() for _ in range(recurrence))

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Attend in (N, C, H, W)."""
        for each in self.passes:
            asked = torch.cat([self.query(features), self.key(features)], 1)
            features = features + self.scale * each(asked, self.value(features))
        return features


class CrissCrossPass(Pairwise):
    """One pass, from queries and keys: weights of each position's row and column, and the values' sum by them."""

    direction: Direction = "collect"

    def __init__(self) -> None:
        super().__init__()
        self.attention = Tap("pairwise", "criss-cross")

    def forward(self, asked: Float[Tensor, "n d h w"], values: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Sums of values (N, C, H, W) by queries and keys (N, 2 d, H, W), one over the other.

        The map of all pairs is built only while its tap is watched.
        """
        weights = CrissCrossWeights(asked)
        if self.attention.watched:
            return apply_weights(values, self.attention(weights.all()))
        in_column, in_row = weights.of_crosses()
        from_column = in_column.transpose(1, 2) @ values.permute(0, 3, 2, 1)  # (N, W, H, C)
        from_row = in_row @ values.permute(0, 2, 3, 1)  # (N, H, W, C)
        return from_column.permute(0, 3, 2, 1) + from_row.permute(0, 3, 1, 2)

    def pair_weights(self, inputs: Tensor) -> CrissCrossWeights:
        """The weights for queries and keys (N, 2 d, H, W)."""
        return CrissCrossWeights(inputs)

    def within_reach(self, size: tuple[int, int]) -> Tensor:
        """A position's row and column."""
        rows, columns = (torch.arange(side) for side in size)
        crossing = (rows[:, None, None, None] == rows[:, None]) | (columns[:, None, None] == columns)
        return crossing.flatten(0, 1)


class CrissCrossWeights:
    """The weights of all pairs, which are 0 outside of the crosses.

    Args:
        asked: (N, 2 d, H, W) queries and keys, one over the other.
    """

    def __init__(self, asked: Tensor) -> None:
        self.queries, self.keys = asked.chunk(2, 1)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the map."""
        height, width = self.queries.shape[2:]
        return height, width

    def of_crosses(self) -> tuple[Tensor, Tensor]:
        """Weights within columns (N, H, W, sources H) and rows (N, H, W, sources W); the position itself is one of its row's."""
        height = self.queries.shape[2]
        in_column = self.queries.permute(0, 3, 2, 1) @ self.keys.permute(0, 3, 1, 2)  # (N, W, targets H, sources H)
        rows = torch.arange(height, device=in_column.device)
        itself = rows[:, None] == rows[None]
        in_column = in_column.masked_fill(itself, float("-inf")).transpose(1, 2)
        in_row = self.queries.permute(0, 2, 3, 1) @ self.keys.permute(0, 2, 1, 3)  # (N, H, targets W, sources W)
        weights = torch.cat([in_column, in_row], 3).softmax(3)
        return weights[..., :height], weights[..., height:]

    def of(self, points: Sequence[tuple[int, int]]) -> Tensor:
        """Weights with which points (row, column) gather from every source, (N, P, H, W)."""
        check_points(points, *self.size)
        height, width = self.size
        in_column, in_row = self.of_crosses()
        found = in_row.new_zeros(len(in_row), len(points), height, width)
        for place, (y, x) in enumerate(points):
            found[:, place, y] += in_row[:, y, x]
            found[:, place, :, x] += in_column[:, y, x]
        return found

    def all(self) -> Tensor:
        """The weights of all pairs, (N, sources H*W, targets H, W).

        Raises:
            RuntimeError: They are too many.
        """
        check_pairs(len(self.queries), self.size)
        height, width = self.size
        in_column, in_row = self.of_crosses()
        same_row = torch.eye(height, dtype=in_row.dtype, device=in_row.device)
        same_column = torch.eye(width, dtype=in_row.dtype, device=in_row.device)
        # sources (y, x), targets (h, w)
        rows = torch.einsum("nhwx,yh->nyxhw", in_row, same_row)
        columns = torch.einsum("nhwy,xw->nyxhw", in_column, same_column)
        return (rows + columns).flatten(1, 2)
