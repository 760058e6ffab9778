"""What goes wrong on the way from a server to a folder."""

from __future__ import annotations


class DownloadError(OSError):
    """A data set cannot be fetched or unpacked; the message says why, what was kept, and what to do."""


class ArchiveError(DownloadError):
    """An archive is damaged, or holds what an archive of pictures does not hold."""


class ConnectionLostError(Exception):
    """A connection failed in a way that may be over in a moment.

    Args:
        reason: What the system or the server said.
        reached: Whether the server had answered before.
        wait: Seconds that the server asks to wait.
    """

    def __init__(self, reason: str, *, reached: bool = True, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reached = reached
        self.wait = wait
