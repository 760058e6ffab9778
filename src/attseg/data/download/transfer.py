"""Downloads one archive over https, and resumes where a connection broke.

``NAME.part`` grows beside ``NAME`` and is renamed when it is complete; ``NAME.part.json`` records which file on the server it
is a part of.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shutil
import socket
import time
from collections.abc import Callable
from http.client import IncompleteRead
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.exceptions import InvalidSchema, MissingSchema, ProxyError, SSLError, TooManyRedirects
from urllib3.exceptions import HTTPError, NewConnectionError

from attseg.data.wording import amount
from attseg.files import obstacle, open_file, read_bytes, replacing

Progress = Callable[[str, int, int | None], None]
"""Called with the activity, the bytes done, and the total number of bytes where it is known."""


class DownloadError(OSError):
    """A data set cannot be downloaded or unpacked; the message says why, what was kept, and what to do."""


ATTEMPTS = 5
"""Connections in a row that may bring less than ``LITTLE``."""
LITTLE = 2**20
"""Bytes; a connection that brings more does not count as a failure."""
MOST = 2**34
"""Bytes taken from a server that does not state a length."""
CHUNK = 2**18
BUSY = (408, 425, 429, 500, 502, 503, 504)
LONGEST_WAIT = 60.0
"""Seconds; upper bound on a server's Retry-After."""


class _BrokenError(Exception):
    """The connection failed in a way that may be over in a moment."""


def fetch(
    url: str, file: Path, *, size: int | None = None, progress: Progress, pause: float = 1.0, timeout: float = 30.0
) -> None:
    """Download a file, resuming what an earlier call left if the file on the server is still the same.

    The request for the rest carries the ETag (or the date) of the first part as ``If-Range``. A server that sends neither,
    or does not support ranges, starts over. ``HTTPS_PROXY`` and ``NO_PROXY`` are respected.

    Args:
        url: https address; http only for a server on this computer.
        file: Where it goes; the folder must exist.
        size: Expected size in bytes, if known.
        progress: Progress callback.
        pause: Seconds before the second attempt; doubled before each further one.
        timeout: Seconds without a byte after which a connection counts as lost.

    Raises:
        DownloadError: No network, no such file, another file than expected, repeated failures, or a full disk. What has
            arrived is kept where it can be used.
    """
    part, notes = file.with_name(f"{file.name}.part"), file.with_name(f"{file.name}.part.json")
    host, failures, reached = urlsplit(url).hostname, 0, False
    with _Session(url) as session:
        while not part.exists() or _length(part) != _noted(notes, url).get("total"):
            before, wait = _length(part), 0.0
            try:
                response = session.get(url, headers=_range(part, notes, url), stream=True, timeout=timeout)
                with response:
                    reached, wait = True, _retry_after(response)
                    _receive(response, part, notes, url=url, size=size, progress=progress)
            except (InvalidSchema, MissingSchema):
                raise session.refusal(url) from None
            except TooManyRedirects as error:
                raise DownloadError(f"{url} redirects in a circle; nothing was fetched") from error
            except SSLError as error:
                raise DownloadError(
                    f"the certificate of {host} is not trusted ({_in_words(error)}); nothing was fetched. Check the clock "
                    "of this computer and its proxy"
                ) from error
            except (_BrokenError, requests.RequestException, HTTPError) as error:
                reached = reached or not _is_unreachable(error)
                failures = 1 if _length(part) >= before + LITTLE else failures + 1
                if failures == ATTEMPTS or not reached:
                    raise DownloadError(_given_up(url, host, part, notes, error, reached)) from error
                time.sleep(max(wait, pause * 2 ** (failures - 1)))
    part.replace(file)
    notes.unlink(missing_ok=True)


def need_space(folder: Path, needed: int, *, what: str) -> None:
    """Check that a folder, which need not exist yet, has room for a number of bytes.

    Raises:
        DownloadError: There is too little.
    """
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if (free := shutil.disk_usage(there).free) < needed:
        raise DownloadError(
            f"{what} needs {amount(needed)} in {folder}, and {amount(free)} are free there; free some, or choose another "
            "folder (--data.root DIR)"
        )


class _Session(requests.Session):
    """Speaks https alone, on every hop of a redirect; http only if the first address was a server on this computer."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.local = _is_loopback(url)
        self.trust_env = not self.local
        self.max_redirects = 10
        self.headers.update({"User-Agent": "attseg", "Accept-Encoding": "identity", "Connection": "close"})

    def get_adapter(self, url: str) -> BaseAdapter:
        if not url.startswith("https://") and not (self.local and _is_loopback(url)):
            raise self.refusal(url)
        return super().get_adapter(url)

    @staticmethod
    def refusal(url: str) -> DownloadError:
        return DownloadError(f"{url} is not encrypted; only https:// is supported, and nothing was fetched")


def _receive(
    response: requests.Response, part: Path, notes: Path, *, url: str, size: int | None, progress: Progress
) -> None:
    """Append the body of a response to the part; the part is complete when this returns."""
    have, noted, length = _length(part), _noted(notes, url), response.headers.get("Content-Length", "")
    if response.status_code == 206 and _continues(response, noted, have):
        noted["total"] = int(response.headers["Content-Range"].rpartition("/")[2])
    elif response.status_code == 200:
        noted, have = {"validator": _validator(response), "total": int(length) if length.isdigit() else None}, 0
        if size is not None and noted["total"] not in (size, None):
            raise DownloadError(
                f"{url} has {noted['total']} bytes, and {size} were expected: it is no longer the file that this version of "
                "attseg knows; nothing was fetched"
            )
        _forget(part, notes)
        _note(notes, url, noted)
    elif response.status_code in (206, 416):  # not the bytes asked for: the part is of another file
        _forget(part, notes)
        raise _BrokenError("it has another file there now")
    elif response.status_code in BUSY:
        raise _BrokenError(f"it answered {response.status_code} {response.reason}")
    else:
        raise DownloadError(_refused(url, response, part.with_suffix("")))
    total = noted["total"]
    need_space(part.parent, 2 * (total or 0) - have, what=f"{part.stem}, packed and unpacked,")
    try:
        with open_file(part, "ab") as file:
            while have != total and (chunk := response.raw.read1(CHUNK, decode_content=False)):
                file.write(chunk)
                have += len(chunk)
                progress("fetching", have, total)
                if have > (MOST if total is None else total):
                    raise DownloadError(
                        f"{part.stem} is larger than the {amount(total or MOST)} that were expected; stopped"
                    )
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(f"cannot write {part}: {obstacle(error, part)}. What has arrived is kept") from error
    if have != (have if total is None else total):
        raise _BrokenError("the connection was cut")
    _note(notes, url, noted | {"total": have})


def _range(part: Path, notes: Path, url: str) -> dict[str, str]:
    have, validator = _length(part), _noted(notes, url).get("validator")
    return {"Range": f"bytes={have}-", "If-Range": validator} if have and validator else {}


def _continues(response: requests.Response, noted: dict[str, Any], have: int) -> bool:
    """Whether the bytes are those from ``have`` on of the same file; some servers send parts whatever ``If-Range`` says."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    same = found is not None and int(found[1]) == have and noted.get("total") in (int(found[2]), None)
    return same and _validator(response) in (noted.get("validator"), "")


def _validator(response: requests.Response) -> str:
    """A strong ETag, or else the date; weak ones ("W/...") may be shared by files that differ."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified", "")


def _retry_after(response: requests.Response) -> float:
    wait = response.headers.get("Retry-After", "")
    return min(float(wait), LONGEST_WAIT) if wait.isdigit() else 0.0


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _noted(notes: Path, url: str) -> dict[str, Any]:
    """Notes about a part; empty if they are not ours, or of another address."""
    try:
        found = json.loads(read_bytes(notes))
        return found if found["url"] == url and found.keys() == {"url", "validator", "total"} else {}
    except (OSError, ValueError, TypeError, LookupError):
        return {}


def _note(notes: Path, url: str, noted: dict[str, Any]) -> None:
    with replacing(notes) as file:
        file.write(json.dumps({"validator": noted["validator"], "total": noted["total"], "url": url}).encode())


def _forget(part: Path, notes: Path) -> None:
    notes.unlink(missing_ok=True)  # first, so that notes never describe other bytes
    part.unlink(missing_ok=True)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return url.startswith("http://") and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:  # another name
        return False


def _is_unreachable(error: BaseException) -> bool:
    """Whether no connection was made at all, to the server or its proxy."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    return any(isinstance(link, NewConnectionError | ProxyError) for link in chain)


def _in_words(error: BaseException) -> str:
    """The reason of a failed connection, from the error at the bottom of the chain."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    if isinstance(error, socket.gaierror):
        return "its name is not known here"
    if isinstance(error, IncompleteRead):
        return "the connection was cut"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)


def _refused(url: str, response: requests.Response, file: Path) -> str:
    host, status = urlsplit(url).hostname, f"{response.status_code} {response.reason}"
    if response.status_code in (404, 410):
        what = f"{host} has no such file any more ({status}): {url}"
    elif response.status_code in (401, 403):
        what = f"{host} does not give the file to everybody ({status}): {url}"
    else:
        what = f"{host} answers {status} to {url}"
    return f"{what}. If you get it elsewhere, put it at {file} and run the same command again"


def _given_up(url: str, host: str | None, part: Path, notes: Path, error: Exception, reached: bool) -> str:
    have, total = _length(part), _noted(notes, url).get("total")
    if not reached:
        what = f"{host} cannot be reached: {_in_words(error)}. Is there a network, and is a proxy needed (HTTPS_PROXY)?"
    else:
        what = f"{host} was asked {ATTEMPTS} times in a row, and failed: {_in_words(error)}."
    if have and notes.exists():
        of = f" of {amount(total)}" if isinstance(total, int) else ""
        return f"{what} {amount(have)}{of} have arrived and are kept; the same command resumes from there"
    return f"{what} If you get {url} elsewhere, put it at {part.with_suffix('')} and run the same command again"
