"""The part of the work that falls to one of several processes, on one computer or many: every n-th image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar

from torch import distributed

from attseg.errors import UsageError

Item = TypeVar("Item")
Gather = Callable[[Any], list[Any]]
"""Brings the values of all processes together, in each of them; it waits for the last."""

PATIENCE = timedelta(days=30)
"""How long processes wait for each other: one may have far larger pictures than the others."""


@dataclass(frozen=True)
class Share:
    """Which of how many processes this is.

    Args:
        rank: Its number, from 0.
        world: How many there are.

    Raises:
        UsageError: There is no such process.

    Example:
        >>> list(Share(1, 3).of("abcdefgh")), Share(1, 3).count(8)
        (['b', 'e', 'h'], 3)
    """

    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise UsageError(
                f"RANK is {self.rank} and WORLD_SIZE {self.world}; the processes are numbered from 0 to WORLD_SIZE - 1"
            )

    def of(self, items: Iterable[Item]) -> Iterator[Item]:
        """Every n-th item, starting at this process's rank; together, the processes take each item once."""
        return islice(items, self.rank, None, self.world)

    def count(self, total: int) -> int:
        """The number of items of this share, out of a total."""
        return len(range(self.rank, total, self.world))

    def file(self, stem: str, suffix: str) -> str:
        """A name of a file that no other process has.

        Example:
            >>> Share().file("manifest", ".jsonl"), Share(1, 3).file("manifest", ".jsonl")
            ('manifest.jsonl', 'manifest-1-of-3.jsonl')
        """
        return f"{stem}{suffix}" if self.world == 1 else f"{stem}-{self.rank}-of-{self.world}{suffix}"


ALONE = Share()


def share_of(environment: Mapping[str, str]) -> Share:
    """The share that ``RANK`` and ``WORLD_SIZE`` name, which torchrun sets for each of its processes; without them, all.

    Raises:
        UsageError: They are not integers, or do not go together.
    """
    try:
        return Share(int(environment.get("RANK", "0")), int(environment.get("WORLD_SIZE", "1")))
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"RANK is {environment.get('RANK')!r} and WORLD_SIZE {environment.get('WORLD_SIZE')!r}; whole numbers were expected, "
            "as torchrun sets them"
        ) from None


def device_of(environment: Mapping[str, str], device: str) -> str:
    """The device of a process: where none is named, each process of a computer gets the GPU of its number there."""
    local = environment.get("LOCAL_RANK")
    if device != "auto" or local is None:
        return device
    from torch import cuda

    return f"cuda:{int(local) % cuda.device_count()}" if cuda.is_available() else "cpu"


@contextmanager
def joined(share: Share) -> Iterator[Gather]:
    """Gathers values among the processes of torchrun while the block runs; any other process has only its own.

    torchrun ends all processes as soon as one of them ends badly, so that none may end before all are done.
    """
    if share.world == 1 or "TORCHELASTIC_RUN_ID" not in os.environ:
        yield lambda value: [value]
        return

    def gather(value: Any) -> list[Any]:
        found: list[Any] = [None] * share.world
        distributed.all_gather_object(found, value)
        return found

    distributed.init_process_group("gloo", timeout=PATIENCE)
    try:
        yield gather
    finally:
        distributed.destroy_process_group()
