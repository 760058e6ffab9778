"""How a run can end early. Every message says what happened, what was kept, and how to go on."""

from __future__ import annotations

from attseg.errors import UsageError


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


class FolderInUse(UsageError):
    """A new run has no place in a folder.

    Args:
        message: With the options of the command line.
        in_python: The same with the arguments of ``attseg.train``.
    """

    def __init__(self, message: str, in_python: str) -> None:
        super().__init__(message)
        self.in_python = in_python
