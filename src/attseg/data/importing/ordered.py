"""Work of several threads, whose results come in the order of the inputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from attseg.data.importing.shapes import MissingPackage
from attseg.data.sample import DataError

Input = TypeVar("Input")
Output = TypeVar("Output")

AHEAD = 4
"""Inputs that each thread may be ahead of the one that is counted."""


def in_order(
    function: Callable[[Input], Output], inputs: Sequence[Input]
) -> Iterator[tuple[Input, Output | DataError]]:
    """Results of a function that several threads call, in the order of the inputs; a ``DataError`` is a result.

    No more than some inputs are ahead, so that memory does not grow with their number.
    """
    count = min(8, os.cpu_count() or 1)

    def attempt(one: Input) -> Output | DataError:
        try:
            return function(one)
        except MissingPackage:
            raise
        except DataError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        rest: Iterable[Input] = iter(inputs)
        waiting: list[tuple[Input, Future[Output | DataError]]] = []
        try:
            while True:
                more = islice(rest, AHEAD * count - len(waiting))
                waiting.extend((one, pool.submit(attempt, one)) for one in more)
                if not waiting:
                    return
                one, future = waiting.pop(0)
                yield one, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
