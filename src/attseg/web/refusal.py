"""An answer other than the one that was asked for: a status, and a sentence for the page."""

from __future__ import annotations

from starlette.responses import JSONResponse

from attseg.text import LONGEST_MESSAGE, cut, harmless

RETRY_SECONDS = 1
"""``Retry-After`` of responses under load."""


class Refused(Exception):
    """A request that is not done.

    Args:
        status: Of HTTP.
        message: What was wrong, and what to do.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def response(self) -> JSONResponse:
        """The answer: ``{"error": message}``, with ``Retry-After`` where trying again helps.

        The connection ends behind a file that was refused, so that the rest of it does not go on coming.
        """
        headers = {"Retry-After": str(RETRY_SECONDS)} if self.status in (429, 503) else {}
        if self.status in (408, 413):
            headers["Connection"] = "close"
        return JSONResponse({"error": cut(harmless(str(self)), LONGEST_MESSAGE)}, self.status, headers)


def crowded(what: str) -> Refused:
    """The refusal where too many ask at once."""
    return Refused(503, f"{what}; try again in a moment")
