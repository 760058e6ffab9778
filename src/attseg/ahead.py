"""Stages that overlap: reading, computing and counting or writing each work on another picture at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def ahead(work: Callable[[In], Out], items: Iterable[In], *, by: int = 2, threads: int = 1) -> Iterator[Out]:
    """``work`` of each item, in order, done by threads that are a little ahead of whoever takes the results.

    Args:
        work: What a thread does.
        items: Taken by the caller's thread, one after another.
        by: Results that may wait, which bounds the memory; at least as many as there are threads to keep all of them busy.
        threads: How many work at the same time, each on another item.

    Raises:
        Exception: Whatever ``work`` or ``items`` raise; what was begun before is finished first.

    Example:
        >>> list(ahead(abs, [-1, 2, -3]))
        [1, 2, 3]
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Out]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > by or waiting[0].done():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
