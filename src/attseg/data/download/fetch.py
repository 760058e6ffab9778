"""Downloads one archive over https, and resumes where a connection broke.

``NAME.VALIDATOR.part`` grows beside ``NAME`` and is renamed when it is complete. VALIDATOR is the ETag or the date that the
server gave the file, so that it is only continued with bytes of the same file.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, MissingSchema
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from attseg.data.wording import amount
from attseg.files import obstacle, open_file

Progress = Callable[[str, int, int | None], None]
"""Called with the activity, the bytes done, and the total number of bytes where it is known."""

ATTEMPTS = 5
"""Connections in a row that may bring less than a chunk."""
CHUNK = 2**18
BUSY = (429, 500, 502, 503, 504)
ELSEWHERE = "If you get the file elsewhere, put it at {} and run the same command again"


class DownloadError(OSError):
    """A data set cannot be downloaded or unpacked; the message says why, what was kept, and what to do."""


def fetch(url: str, file: Path, *, progress: Progress, pause: float = 1.0, timeout: float = 30.0) -> None:
    """Download a file, resuming what an earlier call left if the file on the server is still the same.

    The request for the rest carries the ETag (or the date) of the first part as ``If-Range``. A server that sends neither, or
    does not support ranges, starts over. ``HTTPS_PROXY`` and ``NO_PROXY`` are respected.

    Args:
        url: https address; http only for a server on this computer.
        file: Where it goes; the folder must exist.
        progress: Progress callback.
        pause: Seconds before the second attempt; doubled before each further one.
        timeout: Seconds without a byte after which a connection counts as lost.

    Raises:
        DownloadError: No network, no such file, repeated failures, or a full disk. What has arrived is kept where it can be
            used.
    """
    failures, reached = 0, False
    with _session(url, pause) as session:
        while not file.exists():
            _, validator, have = _arrived(file)
            headers = {"Range": f"bytes={have}-", "If-Range": validator} if have else {}
            try:
                with session.get(url, headers=headers, stream=True, timeout=timeout) as response:
                    reached = True
                    _receive(response, file, progress)
            except (InvalidSchema, MissingSchema):
                raise DownloadError(f"{url}, or where it leads, is not encrypted; only https:// is supported") from None
            except (requests.RequestException, HTTPError) as error:
                failures = 1 if _arrived(file)[2] >= have + CHUNK else failures + 1
                if failures == ATTEMPTS or not (reached or isinstance(error, requests.Timeout)):
                    raise DownloadError(_given_up(url, file, error, reached)) from error
                time.sleep(pause * 2 ** (failures - 1))


def _session(url: str, pause: float) -> requests.Session:
    """Speaks https alone, on every hop of a redirect; http only where the first address is a server on this computer."""
    session, local = requests.Session(), "http://127.0.0.1:"
    retries = Retry(4, connect=0, read=0, other=0, status_forcelist=BUSY, backoff_factor=pause, raise_on_status=False)
    session.adapters.clear()
    for prefix in ("https://", local) if url.startswith(local) else ("https://",):
        session.mount(prefix, HTTPAdapter(max_retries=retries))
    session.headers.update({"User-Agent": "attseg", "Accept-Encoding": "identity", "Connection": "close"})
    return session


def _receive(response: requests.Response, file: Path, progress: Progress) -> None:
    """Append the body of a response to the part of the file, or begin a new one; put the file in its place when it is whole."""
    part, validator, have = _arrived(file)
    sent, status = response.headers, response.status_code
    now = sent.get("ETag") or sent.get("Last-Modified", "")
    span = re.fullmatch(r"bytes (\d+-\d+|\*)/(\d+)", sent.get("Content-Range", ""))
    total = int(span[2]) if span else int(sent.get("Content-Length", 0)) or None
    if status == 200:
        part.unlink(missing_ok=True)
        part, have = file.with_name(f"{file.name}.{quote(now, safe='')}.part"), 0
        if (free := shutil.disk_usage(file.parent).free) < (need := 2 * (total or 0)):
            free_some = (
                f"{amount(free)} are free in {file.parent}; free some, or choose another folder (--data.root DIR)"
            )
            raise DownloadError(f"{file.name}, packed and unpacked, needs {amount(need)}, and {free_some}")
    elif status not in (206, 416):
        raise DownloadError(f"{response.url} cannot be fetched: {status} {response.reason}. {ELSEWHERE.format(file)}")
    elif not span or not (have == total or span[1].startswith(f"{have}-")) or now not in (validator, ""):
        part.unlink()
        raise requests.RequestException("it has another file there now")
    try:
        with open_file(part, "ab") as target:
            while have != total and (chunk := response.raw.read1(CHUNK, decode_content=False)):
                target.write(chunk)
                have += len(chunk)
                progress("fetching", have, total)
    except OSError as error:
        raise DownloadError(f"cannot write {part}: {obstacle(error, part)}. What has arrived is kept") from error
    if have != (total or have):
        raise requests.RequestException("the connection was cut")
    part.replace(file)


def _arrived(file: Path) -> tuple[Path, str, int]:
    """The part of a file that an earlier connection left, the ETag or date of the whole, and the bytes in it."""
    for part in sorted(file.parent.glob(f"{file.name}.?*.part")):
        return part, unquote(part.name[len(file.name) + 1 : -len(".part")]), part.stat().st_size
    return file.with_name(f"{file.name}..part"), "", 0


def _given_up(url: str, file: Path, error: BaseException, reached: bool) -> str:
    have, host = _arrived(file)[2], urlsplit(url).hostname
    while cause := error.__cause__ or error.__context__:
        error = cause
    what = f"{host} was asked {ATTEMPTS} times in a row and failed" if reached else f"{host} cannot be reached"
    kept = f"{amount(have)} have arrived and are kept; the same command resumes from there"
    advice = "" if reached else " Is there a network, is a proxy needed (HTTPS_PROXY), is the clock right?"
    return f"{what}: {getattr(error, 'strerror', None) or error}.{advice} {kept if have else ELSEWHERE.format(file)}"
