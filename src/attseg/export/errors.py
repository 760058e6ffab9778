"""What can go wrong with an export beyond wrong use."""

from __future__ import annotations


class ExportError(RuntimeError):
    """A network cannot be exported as asked, or the file falls short of it; the message says what to do."""
