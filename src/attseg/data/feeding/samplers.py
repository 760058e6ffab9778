"""The order of samples: shuffled without end for training, strided without padding for evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

from attseg.errors import UsageError

_ORDER = 1  # sets this use of a seed apart from others


@dataclass(eq=False)
class TrainSampler(Sampler[list[tuple[int, int]]]):
    """Batches of (index, position) without end: one round through the samples after another, each drawn from (seed, epoch).

    A round has as many draws as there are samples. Each sample comes once in it, in random order; or, where chances are given, as
    often as its chance says, up to rounding: of 100 draws, a sample with a chance of 0.025 gets two or three, 2.5 on average.

    The position counts samples since the start of training, over all processes: batch b of process r holds the positions
    ``(b * world + r) * batch_size + k`` for k in 0..batch_size-1. So the processes together see the same samples in
    each batch as a single process with ``world`` times the batch size, and a batch may reach into the next round.

    Args:
        length: Samples in the data set.
        batch_size: Samples a batch, of this process.
        seed: Of the rounds.
        chances: (N,) How likely each sample is, in any unit; None: all are equally likely.
        start: First batch; a stream that was left after n batches goes on exactly with ``start=n``.
        rank: Number of this process.
        world: Number of processes.

    Raises:
        UsageError: Nothing to draw from, an empty batch, a rank that does not exist, or a negative seed or start.
        ValueError: Chances that are not those of ``length`` samples.

    Example:
        >>> from itertools import islice
        >>> batches = islice(TrainSampler(3, batch_size=2, seed=0), 3)
        >>> [[position for _, position in batch] for batch in batches]
        [[0, 1], [2, 3], [4, 5]]
    """

    length: int
    _: KW_ONLY
    batch_size: int
    seed: int
    chances: npt.NDArray[np.float64] | None = None
    start: int = 0
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if self.length < 1:
            raise UsageError("the training split has no samples; training needs at least one")
        if self.batch_size < 1:
            raise UsageError(f"batch_size is {self.batch_size}; at least 1 sample a batch was expected")
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}; 0 or a positive whole number was expected")
        if self.start < 0:
            raise UsageError(f"start is {self.start}; the number of batches already seen was expected, at least 0")
        _check_rank(self.rank, self.world)
        if (chances := self.chances) is not None and (
            chances.shape != (self.length,) or not chances.sum() > 0 or chances.min() < 0
        ):
            raise ValueError(
                f"chances of shape {chances.shape} with the sum {chances.sum()} were given for {self.length} samples"
            )

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch, order = -1, np.empty(0, np.int64)
        batch = self.start
        while True:
            first = (batch * self.world + self.rank) * self.batch_size
            picked = []
            for position in range(first, first + self.batch_size):
                if position // self.length != epoch:
                    epoch = position // self.length
                    order = self._round(epoch)
                picked.append((int(order[position % self.length]), position))
            yield picked
            batch += 1

    def _round(self, epoch: int) -> npt.NDArray[np.int64]:
        """(N,) The samples of one round, in their order."""
        rng = np.random.default_rng((_ORDER, self.seed, epoch))
        if self.chances is None:
            return rng.permutation(self.length)
        shares = np.cumsum(self.chances / self.chances.sum())
        shares /= shares[-1]
        points = (np.arange(self.length) + rng.random()) / self.length  # evenly spaced: each sample gets its share
        drawn = np.searchsorted(shares, np.minimum(points, np.nextafter(1, 0)), side="right")
        return rng.permutation(drawn)


class StridedSampler(Sampler[int]):
    """The indices rank, rank + world, rank + 2 world, ...: every sample in exactly one process, none twice.

    Args:
        length: Samples in the data set.
        rank: Number of this process.
        world: Number of processes.

    Raises:
        UsageError: A rank that does not exist.

    Example:
        >>> [list(StridedSampler(5, rank, world=2)) for rank in range(2)]
        [[0, 2, 4], [1, 3]]
    """

    def __init__(self, length: int, rank: int = 0, world: int = 1) -> None:
        _check_rank(rank, world)
        self.indices = range(rank, length, world)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)


def _check_rank(rank: int, world: int) -> None:
    if not 0 <= rank < world:
        raise UsageError(
            f"rank {rank} of {world} processes was given; ranks count from 0 to the number of processes less one"
        )
