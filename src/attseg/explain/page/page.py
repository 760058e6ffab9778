"""One self-contained HTML file of what models see in a picture: opens from disk and asks no network for anything."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from attseg.explain.page.assets import static_text, viewer_script, viewer_style
from attseg.templates import render_html

MARK = '<meta name="generator" content="attseg explain">'
"""Marker of these pages."""


def make_page(bundle: Mapping[str, Any]) -> str:
    """The page as HTML.

    Its content security policy lets only script and style run that were written here, known by their hashes, and forbids every
    request. Names from the bundle reach the page as data, and the viewer puts them in as text.

    Args:
        bundle: As ``attseg.explain.bundle.make_bundle`` gives it, with pairs.
    """
    style = f"{viewer_style()}\n{static_text('page.css')}"
    script = f"{viewer_script()}\n{static_text('page.js')}"
    return render_html(
        "attseg.explain.page",
        "static/page.html",
        mark=Markup(MARK),
        policy=Markup(
            f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        ),
        title=" · ".join([bundle["name"], *(side["title"] for side in bundle["sides"])]),
        style=Markup(style),
        script=Markup(script),
        bundle=_as_data(bundle),
    )


def _as_data(values: Mapping[str, Any]) -> Markup:
    """JSON that can stand in a script element: no text in it can end the element or begin another."""
    text = json.dumps(values, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
