"""One archive from a server to the disk, in as many parts as the connection breaks it into.

``NAME.part`` grows beside ``NAME`` and takes its name when it is whole; ``NAME.part.json`` says of which file on the server it is
the beginning. The standard library does this: the clients that come with our dependencies change with them, and none resumes.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from attseg.data.download.connection import ask, host_of, in_words
from attseg.data.download.errors import ConnectionLostError, DownloadError
from attseg.data.download.space import need_space
from attseg.data.wording import amount
from attseg.files import obstacle, replacing

Progress = Callable[[str, int, int | None], None]
"""Is told what is going on, how many bytes of it are done, and of how many, where that is known."""

ATTEMPTS = 5
"""Connections in a row that may bring next to nothing."""
LITTLE = 2**20
"""Bytes; a connection that brings more was worth making."""
MOST = 2**34
"""Bytes that are taken from a server that does not say how many there are."""
CHUNK = 2**18


def fetch(
    url: str, file: Path, *, size: int | None = None, progress: Progress, pause: float = 1.0, timeout: float = 30.0
) -> None:
    """Fetch an archive, from where an earlier call stopped if the file on the server is still the same.

    Whether it is, the server says: a request for the rest names the ETag of the beginning, or else its date, as ``If-Range``. A
    server that gives neither, or knows no parts, starts over.

    Args:
        url: Of the file.
        file: Where it goes; the folder must exist.
        size: Bytes that it must have, where they are known.
        progress: Is told how far it is.
        pause: Seconds before a second attempt; doubled before each further one.
        timeout: Seconds without a byte after which a connection counts as lost.

    Raises:
        DownloadError: No network, no such file, another file than was expected, connections that break again and again, a
            full disk. What has arrived is kept where it may be of use.
    """
    part = _Part(file)
    failures, answered = 0, False
    while not part.is_whole():
        before = part.length()
        try:
            _go_on(url, part, size=size, progress=progress, timeout=timeout)
        except ConnectionLostError as error:
            answered |= error.reached
            failures = 1 if part.length() >= before + LITTLE else failures + 1
            if failures == ATTEMPTS or not answered:
                raise DownloadError(_given_up(url, part, error)) from error
            time.sleep(max(error.wait, pause * 2 ** (failures - 1)))
    part.finish()


@dataclass(frozen=True)
class _Origin:
    """Which file a part is of.

    Args:
        url: Where it lies.
        validator: What tells it from other versions; empty where the server does not say.
        total: Its length, where the server says it, or all has come.
    """

    url: str
    validator: str
    total: int | None


class _Part:
    """The beginning of a file, and where it comes from."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.path = file.with_name(f"{file.name}.part")
        self.notes = file.with_name(f"{file.name}.part.json")

    def length(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def origin(self) -> _Origin | None:
        try:
            return _Origin(**json.loads(self.notes.read_bytes()))
        except (OSError, ValueError, TypeError):  # nothing there, or not from us
            return None

    def is_whole(self) -> bool:
        origin = self.origin()
        return origin is not None and self.path.exists() and self.length() == origin.total

    def drop(self) -> None:
        """Forget everything; the notes go first, so that they never speak of other bytes."""
        self.notes.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def note(self, origin: _Origin) -> None:
        with replacing(self.notes) as notes:
            notes.write(json.dumps(asdict(origin)).encode())

    def finish(self) -> None:
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.replace(self.file)
        self.notes.unlink(missing_ok=True)


def _go_on(url: str, part: _Part, *, size: int | None, progress: Progress, timeout: float) -> None:
    """Make one connection, and add what it brings to the part, which is whole when this returns."""
    origin, have = part.origin(), part.length()
    if not (origin and origin.url == url and origin.validator and have):
        origin = None
    headers = {"Range": f"bytes={have}-", "If-Range": origin.validator} if origin else {}
    with ask(url, headers, timeout=timeout) as response:
        if response.status == 206 and origin and _continues(response, origin, have):
            origin = _Origin(url, origin.validator, _whole_length(response))
        elif response.status == 200:
            origin, have = _Origin(url, _validator(response), _length(response)), 0
            if size is not None and origin.total not in (size, None):
                raise DownloadError(
                    f"{url} has {origin.total} bytes, and {size} were expected: it is no longer the file that this version of "
                    "attseg knows; nothing was fetched"
                )
            part.drop()
            part.note(origin)
        elif response.status in (206, 416):  # other bytes than were asked for, or none: what we have is of another file
            part.drop()
            raise ConnectionLostError("it has another file there now")
        else:
            raise DownloadError(_refused(url, response, part.file))
        need_space(part.file.parent, 2 * (origin.total or 0) - have, what=f"{part.file.name}, packed and unpacked,")
        got = _append(response, part.path, have, origin.total, progress)
    if origin.total not in (got, None):
        raise ConnectionLostError("the connection was cut")
    part.note(_Origin(url, origin.validator, got))


def _append(response: HTTPResponse, path: Path, have: int, total: int | None, progress: Progress) -> int:
    """Write what comes behind what is there; returns how many bytes there are then."""
    try:
        with path.open("ab") as file:
            while have != total and (chunk := _read(response)):
                file.write(chunk)
                have += len(chunk)
                progress("fetching", have, total)
                if have > (MOST if total is None else total):
                    raise DownloadError(
                        f"{path.stem} is larger than the {amount(total or MOST)} that were expected; stopped"
                    )
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(f"cannot write {path}: {obstacle(error, path)}. What has arrived is kept") from error
    return have


def _read(response: HTTPResponse) -> bytes:
    """What has arrived; nothing at the end."""
    try:
        return response.read1(CHUNK)
    except (OSError, HTTPException) as error:
        raise ConnectionLostError(in_words(error)) from error


def _continues(response: HTTPResponse, origin: _Origin, have: int) -> bool:
    """Whether an answer holds the bytes of the same file from ``have`` on; some servers send parts whatever ``If-Range`` says."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != have or origin.total not in (int(found[2]), None):
        return False
    return _validator(response) in (origin.validator, "")


def _whole_length(response: HTTPResponse) -> int:
    return int(response.headers["Content-Range"].rpartition("/")[2])


def _length(response: HTTPResponse) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _validator(response: HTTPResponse) -> str:
    """A strong ETag, or else the date; weak ones ("W/...") may be shared by files that differ."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified", "")


def _refused(url: str, response: HTTPResponse, file: Path) -> str:
    host, status = host_of(url), f"{response.status} {response.reason}"
    if response.status in (404, 410):
        what = f"{host} has no such file any more ({status}): {url}"
    elif response.status in (401, 403):
        what = f"{host} does not give the file to everybody ({status}): {url}"
    else:
        what = f"{host} answers {status} to {url}"
    return f"{what}. If you get it elsewhere, lay it at {file} and give the same command again"


def _given_up(url: str, part: _Part, error: ConnectionLostError) -> str:
    host, origin, have = host_of(url), part.origin(), part.length()
    if not error.reached:
        what = f"{host} cannot be reached: {error}. Is there a network, and is a proxy needed (HTTPS_PROXY)?"
    else:
        what = f"{host} was asked {ATTEMPTS} times in a row, and failed: {error}."
    if have and origin:
        of = f" of {amount(origin.total)}" if origin.total else ""
        return f"{what} {amount(have)}{of} have arrived and are kept; the same command goes on from there"
    return f"{what} If you get {url} elsewhere, lay it at {part.file} and give the same command again"
