"""Closes stalled connections, for which uvicorn itself sets no time limit while it waits for request headers."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from attseg.web.limits import Limits
from attseg.web.refusal import crowded


class WatchedConnection(H11Protocol):
    """One connection, which ends when a head, a request with its answer, or the next request takes too long.

    Slow-loris clients open many connections and send a byte now and then. Here a head has ``head_seconds`` from its first
    byte, or from the opening of the connection, however its bytes are spread; so has all that a client sends after its answer,
    such as the rest of a file that was refused. Beyond twice ``connections`` a new one is closed at once, beyond
    ``connections`` its requests are answered that it is crowded.

    Args:
        limits: ``head_seconds``, ``request_seconds`` and ``connections`` count here.
        args: Of uvicorn's protocol.
        options: Likewise.
    """

    def __init__(self, *args: Any, limits: Limits, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = limits
        self._alarm: asyncio.TimerHandle | None = None
        self._phase: tuple[str, object] = ("new", None)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn names a narrower class
        """Called by asyncio."""
        super().connection_made(transport)
        if len(self.connections) > 2 * self._limits.connections:
            transport.abort()
            return
        if len(self.connections) > self._limits.connections:
            self.app = _answer_crowded
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Called by uvicorn when an answer has been written."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        if self._alarm is not None:
            self._alarm.cancel()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Set the alarm anew where something else is waited for than before."""
        if self.cycle is not None and not self.cycle.response_complete:
            phase: tuple[str, object] = ("request", self.cycle)
        elif self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            phase = ("idle", self.cycle)
        else:
            phase = ("head", self.cycle)
        if phase == self._phase or self.transport.is_closing():
            return
        self._phase = phase
        if self._alarm is not None:
            self._alarm.cancel()
        seconds = self._limits.request_seconds if phase[0] == "request" else self._limits.head_seconds
        self._alarm = self.loop.call_later(seconds, self.transport.abort)


async def _answer_crowded(scope: Any, receive: Any, send: Any) -> None:
    response = crowded("too many connections are open").response()
    response.headers["Connection"] = "close"
    await response(scope, receive, send)
