"""Opens the explorer's page in a browser, without its token among the arguments of a process."""

from __future__ import annotations

import os
import sys
import webbrowser
from html import escape
from pathlib import Path

from attseg.files import open_file


def has_screen() -> bool:
    """Whether a browser could be seen here."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_page(url: str, place: Path) -> None:
    """Open the page by way of a file that only this user can read, for others can read the arguments of a browser."""
    file = place / "explore.html"
    page = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={escape(url)}">'
    with open_file(file, "x") as opened:
        opened.write(page)
    webbrowser.open(file.as_uri())
