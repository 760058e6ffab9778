"""How much a score would change with other pictures of the same kind: bootstrap over the pictures of a split.

Source:
    Efron, Tibshirani: An Introduction to the Bootstrap, 1993, chapter 13: percentile intervals. Politis, Romano: A circular
    block-resampling procedure for stationary data, 1992: frames of a video.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from attseg.errors import UsageError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

DRAWS = 1000
LEVEL = 0.95


class Interval(NamedTuple):
    """A value with the range in which it lies in most of the drawn splits.

    Args:
        value: Over all pictures.
        low: Lower end; nan where no draw has a value.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {name: None if np.isnan(value) else value for name, value in self._asdict().items()}


def class_parts(counts: Iterable[Integers]) -> Integers:
    """(N, 3, K) Of each picture's confusion matrix what IoU needs: hits, labelled and predicted pixels of each class."""
    return np.stack([np.stack((one.diagonal(), one.sum(1), one.sum(0))) for one in counts])


def ious_of(parts: npt.NDArray[Any]) -> Floats:
    """(.., K) IoU of each class from (.., 3, K) summed parts; nan where a class is neither labelled nor predicted."""
    hits, labelled, predicted = np.moveaxis(parts, -2, 0)
    union = labelled + predicted - hits
    return np.divide(hits, union, out=np.full(union.shape, np.nan), where=union > 0)


def resampled(parts: Integers, *, draws: int = DRAWS, seed: int = 0, block: int = 1) -> Iterator[Floats]:
    """(3, K) Summed parts of splits of as many pictures, drawn with replacement; the same pictures for the same seed.

    With a ``block``, each drawn picture brings those that follow it, and the splits are of as many pictures rounded up to whole
    blocks.
    """
    rng = np.random.default_rng(seed)
    count = len(parts)
    flat = parts.reshape(count, -1).astype(np.float64)
    for _ in range(draws):
        times = np.bincount(rng.integers(0, count, math.ceil(count / block)), minlength=count)
        yield (in_blocks(times, block) @ flat).reshape(parts.shape[1:])


def in_blocks(times: Integers, block: int) -> Integers:
    """(.., N) How often each picture is there if each drawn one brings those that follow it, the first after the last.

    Args:
        times: (.., N) how often each was drawn.
        block: Pictures from a drawn one on, itself included.

    Example:
        >>> in_blocks(np.array([0, 2, 0, 1]), 2).tolist()
        [1, 2, 2, 1]
    """
    return np.sum([np.roll(times, shift, axis=-1) for shift in range(block)], axis=0)


def miou_interval(
    parts: Integers, *, draws: int = DRAWS, level: float = LEVEL, seed: int = 0, block: int = 1
) -> Interval:
    """The mIoU of a split with its interval.

    Args:
        parts: (N, 3, K), as ``class_parts`` gives them.
        draws: Splits that are drawn.
        level: Share of the draws that lie in the interval.
        seed: Of the draws.
        block: Pictures that follow each other and are drawn together. Neighbouring frames of a video look alike, and drawn one
            by one they give an interval that is too narrow.

    Raises:
        UsageError: There are fewer than two blocks of pictures.
    """
    check_drawable(len(parts), block)
    drawn = np.array([_mean(ious_of(one)) for one in resampled(parts, draws=draws, seed=seed, block=block)])
    return _interval(_mean(ious_of(parts.sum(0))), drawn, level)


def paired_intervals(
    one: Integers, other: Integers, *, draws: int = DRAWS, level: float = LEVEL, seed: int = 0, block: int = 1
) -> tuple[Interval, list[Interval]]:
    """By how much the second of two models is better on the same pictures: its mIoU and each class, less the first's.

    Each draw takes the same pictures of both, so that what makes a picture hard for both does not widen the interval.
    Arguments as of ``miou_interval``.

    Raises:
        UsageError: There are fewer than two blocks of pictures.
    """
    check_drawable(len(one), block)
    both = np.concatenate((one, other), axis=1)
    drawn = np.array([_difference(parts) for parts in resampled(both, draws=draws, seed=seed, block=block)])
    found = _difference(both.sum(0))
    intervals = [_interval(value, column, level) for value, column in zip(found, drawn.T, strict=True)]
    return intervals[0], intervals[1:]


def check_drawable(pictures: int, block: int = 1) -> None:
    """Refuse what gives no interval.

    Raises:
        UsageError: There are fewer than two pictures, or fewer than two blocks of them.
    """
    if pictures < 2:
        raise UsageError(
            f"an interval over pictures needs at least 2 of them, and there is {pictures}; evaluate a larger split"
        )
    if not 1 <= block <= pictures // 2:
        raise UsageError(
            f"blocks of {block} pictures were to be drawn from {pictures}; blocks of 1 to {pictures // 2} were expected"
        )


def _difference(parts: npt.NDArray[Any]) -> Floats:
    """(1 + K,) Of mIoU and of each class's IoU, from (6, K) parts of two models."""
    before, after = ious_of(parts[:3]), ious_of(parts[3:])
    return np.concatenate(([_mean(after) - _mean(before)], after - before))


def _mean(ious: Floats) -> float:
    there = ious[~np.isnan(ious)]
    return float(there.mean()) if len(there) else float("nan")


def _interval(value: float, drawn: Floats, level: float) -> Interval:
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn) or np.isnan(value):
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(value), float(low), float(high))
