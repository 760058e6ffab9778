"""Shared by all pairwise attention: the whole map where it is small, and single points where it is large."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from torch import Tensor, nn

from attseg.attention.pointwise.terms import Direction
from attseg.attention.tap import Tap

MOST_WEIGHTS = 1 << 25
"""Most weights of all pairs that are built for somebody who watches; a map of 76 x 76 has as many."""


class PairWeights(Protocol):
    """The weights of all pairs of one pass, of which only those of the points that are asked for are computed."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the map on which positions attend to each other."""
        ...

    def of(self, points: Sequence[tuple[int, int]]) -> Tensor:
        """The maps of points (row, column), (N, P, H, W).

        Of collect, what the point gathers from every source; of distribute, what it gives to every target.
        """
        ...

    def all(self) -> Tensor:
        """The weights of all pairs, (N, sources H*W, targets H, W), or a sentence where they would be too many."""
        ...


class Pairwise(nn.Module, ABC):
    """A mechanism whose tap ``attention`` is of the kind ``pairwise``, and whose weights can be had for chosen points alone.

    A subclass says in ``direction`` which way the map of a point is read; where it depends on the instance, in its constructor.
    """

    direction: Direction
    attention: Tap

    @abstractmethod
    def pair_weights(self, inputs: Tensor) -> PairWeights:
        """The weights that the mechanism finds for its input (N, C, H, W)."""

    def within_reach(self, size: tuple[int, int]) -> Tensor | None:
        """(sources H*W, targets H, W) Which sources a target of a map (H, W) can gather from; None where it is all of them."""
        return None


def pairs_fit(count: int, size: tuple[int, int]) -> bool:
    """Whether the weights of all pairs, of so many pictures with maps of a size (height, width), are few enough to be built."""
    height, width = size
    return count * (height * width) ** 2 <= MOST_WEIGHTS


def check_pairs(count: int, size: tuple[int, int]) -> None:
    """Refuse to build the weights of all pairs where they would be too many.

    Args:
        count: Pictures.
        size: Height and width of the map.

    Raises:
        RuntimeError: They are more than ``MOST_WEIGHTS``.
    """
    if not pairs_fit(count, size):
        height, width = size
        gibibytes = 4 * count * (height * width) ** 2 / 2**30
        raise RuntimeError(
            f"the attention of all pairs of {height} x {width} positions would be {gibibytes:.1f} GiB and is not built. "
            "Watch a smaller picture or batch, or ask for the maps of points: attseg.explain.looked.look(model, images).at(x, y)"
        )
