"""Ctrl-C and SIGTERM as a request to stop soon, rather than an end in the middle of a step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """While the ``with`` block runs, the first Ctrl-C or SIGTERM is only noted; the second acts as it did before.

    Outside the main thread, where Python allows no handlers, nothing is noted.

    Args:
        say: Is told, for people, that the request was heard.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.signal = 0
        """Number of the signal that asked; 0 as long as none did."""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal:
            self.__exit__()
            signal.raise_signal(number)
        self.signal = number
        self.say(
            "stopping after this step, or the evaluation that is under way; a second time stops at once, and saves nothing"
        )
