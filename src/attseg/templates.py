"""Pages and cards from Jinja templates that lie beside the code; every value put into them is escaped."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from math import isnan
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from attseg.text import in_markdown

LONGEST_VALUE = 2000
"""Characters of a value in Markdown, such as the arguments of a network."""


def render_html(package: str, name: str, /, **values: Any) -> str:
    """A page of HTML, in which all values but ``Markup`` are escaped.

    Args:
        package: Where the template lies.
        name: Of its file.
        **values: What it may name. One that is not given is an error.
    """
    return _render(Environment(autoescape=True, **_OPTIONS), package, name, values)


def render_markdown(package: str, name: str, /, **values: Any) -> str:
    """Markdown, in which no value but ``Markup`` is HTML, code or a column; arguments as of ``render_html``."""
    return _render(Environment(finalize=plain, **_OPTIONS), package, name, values)


def plain(value: Any) -> str:
    """A value as text in which Markdown finds nothing to do, for names come from files of others."""
    return str(value) if isinstance(value, Markup) else in_markdown(str(value), LONGEST_VALUE)


_OPTIONS: dict[str, Any] = {
    "undefined": StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
_FILTERS: dict[str, Callable[..., Any]] = {
    "percent": lambda share: f"{100 * share:.1f}",
    "percent_or_dash": lambda share: "-" if share is None or isnan(share) else f"{100 * share:.2f}",
    "numbers": lambda values: ", ".join(f"{value:g}" for value in values),
    "markup": Markup,
    "repr": repr,
    "zip": lambda *values: zip(*values, strict=True),
}


def _render(environment: Environment, package: str, name: str, values: dict[str, Any]) -> str:
    environment.filters |= _FILTERS
    text = (resources.files(package) / name).read_text(encoding="utf-8")
    return environment.from_string(text).render(values)
