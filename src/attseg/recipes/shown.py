"""Models and their options in words and tables, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from json import dumps
from typing import Any

from attseg.text import TextTable


def models_parts(described: Mapping[str, Mapping[str, Any]]) -> Iterator[str | TextTable]:
    """A table of options for each model.

    Args:
        described: From ``describe_class``, by name.
    """
    for name, about in described.items():
        yield f"{name}: {about['about']}\n{about['paper']}\n"
        rows = []
        for option, value in about["options"].items():
            choices = f" ({', '.join(map(str, value['choices']))})" if value["choices"] else ""
            rows.append((option, dumps(value["default"]), f"{value['about']}{choices}".strip()))
        yield TextTable(("option", "default", "what it is"), rows)
        yield ""
    yield "Set one with: attseg train RECIPE --model.name NAME --model.args.OPTION VALUE"
