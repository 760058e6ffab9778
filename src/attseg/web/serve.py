"""From models to a server that answers, and back to the prompt when it is told to end."""

from __future__ import annotations

import errno
import os
import secrets
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from attseg.errors import UsageError
from attseg.web.app import make_app
from attseg.web.desk import Desk
from attseg.web.guard import Guard, is_loopback, own_names

PORT = 8700
"""Where the search for a free port begins."""

PORTS = 20
"""How many ports are tried."""

LAST_SECONDS = 1
"""Seconds that pending responses get when the server is stopped."""


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens.

    Args:
        host: A name or an address of this computer.
        port: Which port; 0 is any free one, None the first free one from ``PORT`` on.

    Raises:
        UsageError: The port is taken or not allowed, or this computer has no such address.
    """
    ports = range(PORT, PORT + PORTS) if port is None else (port,)
    for each in ports:
        try:
            return _bound(host, each)
        except socket.gaierror:
            raise UsageError(
                f"this computer has no name or address {host!r}; 127.0.0.1 is reached from here alone"
            ) from None
        except OverflowError:
            raise UsageError(f"the port is {each}; 0 to 65535 was expected") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise UsageError(
                f"cannot listen on {host}, port {each}: {error.strerror}; give another --host or --port"
            ) from None
    raise UsageError(
        f"port {'s ' if len(ports) > 1 else ''}{_span(ports)} of {host} taken; give another, or --port 0 for any"
    )


def address(listening: socket.socket, host: str, token: str) -> str:
    """The address to open; what stands behind ``#`` stays in the browser."""
    port = listening.getsockname()[1]
    name = socket.gethostname() if host in ("0.0.0.0", "::", "") else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/#token={token}"


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(24)


def serve(desk: Desk, listening: socket.socket, *, host: str, token: str, on_ready: Callable[[], None]) -> None:
    """Answer requests until Ctrl-C or SIGTERM.

    Args:
        desk: What does the work.
        listening: The socket of ``listen``.
        host: What it listens on, as given.
        token: What requests carry.
        on_ready: Called when the first request may come.

    Raises:
        KeyboardInterrupt: By Ctrl-C.
    """
    config = uvicorn.Config(
        Guard(make_app(desk), token=token, names=own_names(host), addresses=not is_loopback(host)),
        http="h11",
        limit_concurrency=desk.limits.connections,
        timeout_keep_alive=desk.limits.idle_seconds,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=LAST_SECONDS,
    )
    try:
        _Server(config, desk, on_ready).run([listening])
    finally:
        desk.close()
        if not desk.join(LAST_SECONDS):
            # A thread within a long layer cannot be ended, and would crash an interpreter that is taken down around it.
            os._exit(128 + signal.SIGINT)


class _Server(uvicorn.Server):
    """Uvicorn's server, which says when it begins, and stops the work as soon as it is told to end."""

    def __init__(self, config: uvicorn.Config, desk: Desk, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._desk = desk
        self._on_ready = on_ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: Any = None) -> None:
        self._desk.close()
        await super().shutdown(sockets)


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
        0
    ]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(256)
    except BaseException:
        listening.close()
        raise
    return listening


def _span(ports: range | tuple[int, ...]) -> str:
    return f"{ports[0]} is" if len(ports) == 1 else f"{ports[0]} to {ports[-1]} are"
