"""Errors of an export other than invalid arguments."""

from __future__ import annotations


class ExportError(RuntimeError):
    """A network cannot be exported as asked, or the file falls short of it; the message says what to do."""
