"""Which sample each worker process has in hand, kept where it outlives the worker: who dies over a file can no longer name it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import c_int64
from multiprocessing.context import BaseContext

from torch.utils.data import get_worker_info

_PATIENCE = 1.0
"""Seconds in which a process whose connection broke should be gone."""


class InHand:
    """Memory that workers share with the process they read for: the number of each, its sample, and whether it is at it.

    Args:
        context: How workers start; None where there are none.
        workers: How many.
    """

    def __init__(self, context: BaseContext | None, workers: int) -> None:
        self._slots = None if context is None else context.RawArray(c_int64, 3 * workers)

    @contextmanager
    def reading(self, index: int) -> Iterator[None]:
        """In a worker: note that a sample is in hand while the block runs."""
        worker = get_worker_info()
        if worker is None or self._slots is None:
            yield
            return
        place = 3 * worker.id
        for offset, value in enumerate((os.getpid(), index, 1)):
            self._slots[place + offset] = value
        yield
        self._slots[place + 2] = 0

    def of_the_dead(self, name: Callable[[int], str]) -> str:
        """What workers that have ended had in hand, as the end of a sentence; empty where nothing is known.

        Args:
            name: Gives the name of a sample.
        """
        dead = self._dead()
        at = sorted({repr(name(index)) for index, at_it in dead if at_it})
        after = sorted({repr(name(index)) for index, _ in dead})
        if at:
            return f" while it read {' and '.join(at)}"
        return f" after it had read {' and '.join(after)}" if after else ""

    def _dead(self) -> list[tuple[int, bool]]:
        """The last sample of each worker that has ended, and whether it was at it."""
        values = [] if self._slots is None else list(self._slots)
        begun = [values[place : place + 3] for place in range(0, len(values), 3) if values[place]]
        until = time.monotonic() + _PATIENCE
        while begun and time.monotonic() < until:
            if dead := [(index, bool(at_it)) for pid, index, at_it in begun if not _alive(pid)]:
                return dead
            time.sleep(0.01)
        return []


def _alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # signal 0 would be Ctrl-C there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
