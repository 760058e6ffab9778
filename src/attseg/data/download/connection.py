"""Asking a server for a file: encrypted or not at all, redirects included, and every failure sorted by whether it may pass."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from typing import cast
from urllib.error import URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from attseg.data.download.errors import ConnectionLostError, DownloadError

MOST_REDIRECTS = 10
REDIRECTS = (301, 302, 303, 307, 308)
BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Answers that may be another one in a moment."""
LONGEST_WAIT = 60.0
"""Seconds; a server that asks for more is asked again all the same."""


def ask(url: str, headers: Mapping[str, str], *, timeout: float) -> HTTPResponse:
    """What a server answers, after redirects; the caller closes it.

    Only https is spoken, also after redirects; plain http only with a server on this computer that was asked for as such.
    ``HTTPS_PROXY`` and ``NO_PROXY`` of the environment hold.

    Args:
        url: Of the file.
        headers: Of the request.
        timeout: Seconds without a byte after which a connection counts as lost.

    Raises:
        DownloadError: An address that is not encrypted, or whose certificate is not to be trusted; too many redirects.
        ConnectionLostError: The server cannot be reached, does not answer, or is busy.
    """
    here = _is_here(url)
    for _ in range(MOST_REDIRECTS):
        if urlsplit(url).scheme != "https" and not (here and _is_here(url)):
            raise DownloadError(f"{url} is not encrypted; only https:// is spoken, and nothing was fetched")
        response = _answer(url, headers, timeout)
        if response.status in REDIRECTS and (place := response.headers["Location"]):
            response.close()
            url = urljoin(url, place)
        elif response.status in BUSY:
            response.close()
            wait = response.headers.get("Retry-After", "")
            raise ConnectionLostError(
                f"it answered {response.status} {response.reason}",
                wait=min(float(wait), LONGEST_WAIT) if wait.isdigit() else 0.0,
            )
        else:
            return response
    raise DownloadError(f"{url} redirects in a circle; nothing was fetched")


def host_of(url: str) -> str:
    """The computer that an address names."""
    return urlsplit(url).hostname or ""


def in_words(error: object) -> str:
    """What went wrong between two computers."""
    if isinstance(error, socket.gaierror):
        return "its name is not known here"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _answer(url: str, headers: Mapping[str, str], timeout: float) -> HTTPResponse:
    opener, request = _opener(proxies=not _is_here(url)), Request(url, headers={"User-Agent": "attseg", **headers})
    try:
        answer = opener.open(request, timeout=timeout)
    except URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise DownloadError(
                f"the certificate of {host_of(url)} is not to be trusted ({error.reason.verify_message}); nothing was fetched. "
                "Are the clock of this computer and its proxy right?"
            ) from error
        raise ConnectionLostError(in_words(error.reason), reached=False) from error
    except (OSError, HTTPException) as error:
        raise ConnectionLostError(in_words(error)) from error
    return cast(HTTPResponse, answer)


def _opener(*, proxies: bool) -> OpenerDirector:
    """Speaks http and https and nothing else (no file://, no ftp://), and leaves redirects and statuses to us."""
    opener = OpenerDirector()
    for handler in (*([ProxyHandler()] if proxies else []), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    return opener


def _is_here(url: str) -> bool:
    """Whether an address is that of an http server on this computer."""
    scheme, host = urlsplit(url).scheme, host_of(url)
    try:
        return scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:  # another name
        return False
