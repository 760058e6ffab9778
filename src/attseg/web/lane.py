"""Work beside the server's own thread: one thing after the other, with a bounded number of waiting ones."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from attseg.web.refusal import Refused, crowded

T = TypeVar("T")


class Lane:
    """A thread that does one thing at a time, so that the server goes on answering meanwhile.

    The thread is a daemon: it does not keep a process alive that is told to end.

    Args:
        name: What is done here, for messages: ``pictures``.
        places: How much may wait, with what is being done.
    """

    def __init__(self, name: str, places: int) -> None:
        self._name = name
        self._places = places
        self._taken = 0
        self._closed = False
        self._jobs: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[[], Any]] | None]
        self._jobs = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"attseg-{name}", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[], T]) -> T:
        """Do ``work`` in its turn, and wait for what it returns or raises.

        Raises:
            Refused: All places are taken, or the server is stopping.
        """
        if self._closed:
            raise Refused(503, "the server is stopping")
        if self._taken >= self._places:
            raise crowded(f"{self._taken} {self._name} are waiting already")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._taken += 1
        self._jobs.put((loop, done, work))
        return await done

    def close(self) -> None:
        """Refuse what is waiting, and end the thread after what it is doing."""
        self._closed = True
        self._jobs.put(None)

    def join(self, seconds: float) -> bool:
        """Wait for the thread to end; whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, done, work = job
            result: Any = None
            problem: BaseException | None = None
            try:
                if self._closed:
                    raise Refused(503, "the server is stopping")
                if not done.cancelled():
                    result = work()
            except BaseException as error:  # handed to whoever waits
                problem = error
            try:
                loop.call_soon_threadsafe(self._settle, done, result, problem)
            except RuntimeError:  # the server's loop has ended meanwhile
                return
            del job, done, work, result, problem  # or the last picture would be held until the next comes

    def _settle(self, done: asyncio.Future[Any], result: Any, problem: BaseException | None) -> None:
        self._taken -= 1
        if done.done():
            return
        if problem is not None:
            done.set_exception(problem)
        else:
            done.set_result(result)
