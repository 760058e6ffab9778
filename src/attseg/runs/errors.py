"""How a run can end early. Every message says what happened, what was kept, and how to go on."""

from __future__ import annotations


class RunError(RuntimeError):
    """A run cannot begin, or failed: somebody else uses its folder, its loss is no number."""


class Interrupted(RunError):
    """A run was asked to stop, and saved its state first.

    Args:
        message: What was kept, and how to go on.
        signal: Number of the signal that asked.
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal
