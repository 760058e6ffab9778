"""Middleware of every request: access checks, and security headers of each response.

A page on the web can make a visitor's browser send requests to this computer, and can give its own name this computer's address
(DNS rebinding). So a request counts only where its ``Host`` names this computer, its ``Origin`` is this server, the browser does
not say that it comes from another site, and, beyond the empty page itself, it carries the token that was printed at the start.
"""

from __future__ import annotations

import ipaddress
import logging
import secrets
import socket
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attseg.web.refusal import Refused

TOKEN_HEADER = "x-attseg-token"
"""Header of the token; a page of another origin cannot set it without asking first, which is never allowed."""

WARNING = (
    "warning: on {host}, other computers can reach this server. Who has the address with its token can look at the "
    "pictures that are kept, and let this computer work; nothing is encrypted on the way. Safer: leave --host out, and "
    "tunnel with `ssh -L`."
)
"""Of an address that other computers reach."""

METHODS = ("GET", "POST", "DELETE")

ANSWER_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
"""On every answer, refusals too."""

_log = logging.getLogger("attseg.web")


class Guard:
    """An application behind checks of where its requests come from.

    Args:
        app: What answers requests that may be.
        token: What requests to ``/api/`` carry in ``X-Attseg-Token``.
        names: Names by which this computer is called; see ``own_names``.
        addresses: Whether any numeric address will do as a ``Host``, not only those of the loopback.
    """

    def __init__(self, app: ASGIApp, *, token: str, names: Collection[str], addresses: bool) -> None:
        self.app = app
        self._token = token.encode()
        self._names = {name.lower() for name in names}
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ANSWER_HEADERS.items():
                    headers[name] = value
            await send(message)

        try:
            self._check(scope)
            await self.app(scope, receive, send_guarded)
        except Refused as refused:
            await refused.response()(scope, receive, send_guarded)
        except Exception:  # it has been answered in words
            _log.exception("%s %s failed", scope["method"], scope["path"])

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own(host):
            raise Refused(
                403, f"the request is for the host {host!r}, which is not this server; open the printed address"
            )
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"{scope['scheme']}://{host.lower()}":
            raise Refused(403, f"the request comes from a page of {origin!r}; only the explorer's own page may ask")
        if scope["method"] not in METHODS:
            raise Refused(405, f"{scope['method']} is not answered here; {', '.join(METHODS)} are")
        if scope["path"].startswith("/api/"):
            site = headers.get("sec-fetch-site", "same-origin")
            if site not in ("same-origin", "none"):
                raise Refused(
                    403, f"the request comes from another site ({site}); only the explorer's own page may ask"
                )
            if not secrets.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self._token):
                raise Refused(401, "the token is missing or wrong; open the address that `attseg explore` printed")

    def _is_own(self, host: str) -> bool:
        """Whether a ``Host`` names this computer; the port may differ, as through a tunnel."""
        name = _host_name(host)
        if name is None:
            return False
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return address.is_loopback or self._addresses


def own_names(host: str) -> set[str]:
    """Names of this computer for a server that listens on ``host``: ``localhost``, and beyond the loopback its own too."""
    if is_loopback(host):
        return {"localhost"}
    return {"localhost", host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}


def is_loopback(host: str) -> bool:
    """Whether only programs of this computer can reach a server that listens on ``host``.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(host: str) -> str | None:
    """The name in a ``Host`` header, in small letters; None if it is none."""
    try:
        parts: Any = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.path or parts.query or parts.fragment or "@" in host:
        return None
    return str(name)
