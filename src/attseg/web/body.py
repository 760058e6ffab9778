"""Receiving a file: no more bytes and no more time than the limits say, whatever the request claims."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import ClientDisconnect, Request

from attseg.web.limits import Limits
from attseg.web.refusal import Refused, crowded


class Uploads:
    """Receives files, a few at once.

    Args:
        limits: ``upload_bytes``, ``body_seconds`` and ``uploads`` count here.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open = 0

    async def receive(self, request: Request) -> bytes:
        """The body of a request.

        Raises:
            Refused: It is too large, too slow, empty, a form, or too many files arrive at once.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind.startswith("multipart/") or kind == "application/x-www-form-urlencoded":
            raise Refused(
                415, f"a form ({kind}) was sent; send the bytes of the picture themselves, as with --data-binary"
            )
        self._check_declared(request)
        if self._open >= self._limits.uploads:
            raise crowded(f"{self._open} files are arriving already")
        self._open += 1
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                content = await self._all(request)
        except TimeoutError:
            raise Refused(408, f"the file did not arrive within {self._limits.body_seconds:g} s; try again") from None
        except ClientDisconnect:
            raise Refused(400, "the connection ended before the file had arrived; try again") from None
        finally:
            self._open -= 1
        if not content:
            raise Refused(422, "the file is empty (0 bytes); give a picture")
        return content

    def _check_declared(self, request: Request) -> None:
        length = request.headers.get("content-length")
        if length is None:
            return
        if not re.fullmatch(r"[0-9]{1,15}", length):
            raise Refused(400, f"the length of the file is said to be {length[:20]!r}; a number of bytes was expected")
        if int(length) > self._limits.upload_bytes:
            raise self._too_large(f"{int(length) / 2**20:.1f} MiB")

    async def _all(self, request: Request) -> bytes:
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > self._limits.upload_bytes:
                raise self._too_large("more")
        return bytes(content)

    def _too_large(self, given: str) -> Refused:
        most = self._limits.upload_bytes / 2**20
        return Refused(413, f"the file has {given}; at most {most:g} MiB are taken: save it smaller, as a JPEG say")
