"""The viewer's files as they are put into pages and served: one script, one style sheet."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import numpy as np
from matplotlib import colormaps

from attseg.explain.titles import TITLES

COLOR_MAPS = ("inferno", "viridis", "cividis", "gray")
"""Colour maps that go evenly from dark to bright, so that people who do not tell red from green can read them."""

SCRIPTS = ("planes.js", "draw.js", "words.js", "link.js", "cards.js", "parts.js", "without.js", "side.js", "viewer.js")
"""In the order in which they use each other."""

STYLES = ("viewer.css", "stage.css", "cards.css", "sizes.css")


@cache
def viewer_script() -> str:
    """The viewer as one script, which defines ``mountViewer``.

    Its text says how it is called: ``viewer.js``, the last of its files.
    """
    tables = json.dumps({name: _hexadecimal(name) for name in COLOR_MAPS})
    constants = f"const COLOR_MAPS = {tables};\nconst TITLES = {json.dumps(TITLES)};"
    return "\n".join(['"use strict";', constants, *map(static_text, SCRIPTS)])


@cache
def viewer_style() -> str:
    """The viewer's style sheet, which touches nothing outside of elements of the class ``viewer``."""
    return "\n".join(map(static_text, STYLES))


def static_text(name: str) -> str:
    """The text of one of the viewer's files."""
    return (resources.files("attseg.explain.page") / "static" / name).read_text(encoding="utf-8")


def _hexadecimal(name: str) -> str:
    """The 256 colours of a map of matplotlib, six digits each."""
    colors = np.rint(255 * colormaps[name](np.arange(256))[:, :3]).astype(np.uint8)
    return colors.tobytes().hex()
