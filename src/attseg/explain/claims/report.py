"""Claims as files: tables for people, and a plot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attseg.explain.claims.claim import ClaimTable, Number
from attseg.explain.claims.measure import Claims
from attseg.explain.figures import panels
from attseg.files import write_file
from attseg.text import harmless

WIDE = 8.0
"""Width of the plot, in inches."""


def write_claims(claims: Claims, out: Path, *, origin: Mapping[str, Any], text: str) -> None:
    """Write claims.json, claims.md and claims.png.

    Args:
        claims: What was measured.
        out: The folder.
        origin: Further values of claims.json: what was measured on what.
        text: Contents of claims.md, from ``as_markdown``.
    """
    contents = {
        "claims.json": json.dumps({**origin, **claims.to_dict()}, indent=2).encode(),
        "claims.md": harmless(text).encode(),
        "claims.png": as_png(draw_claims(claims)),
    }
    for name, content in contents.items():
        write_file(out / name, content)


def as_markdown(claims: Claims, *, title: str) -> str:
    """The tables; ``±`` is one standard error over pictures."""
    parts = [
        f"# {title}",
        f"{claims.pictures} pictures of the split {claims.split!r}; points drawn with seed {claims.seed}. "
        "± is one standard error over pictures. The guide *How to read attention maps* defines each number, and says what these "
        "numbers do not prove.",
    ]
    for one in claims.tables:
        parts.append(f"## {one.name}")
        if one.claim:
            parts.append(f"The paper: {one.claim} ({one.source})")
        if one.rows:
            parts.append(_table(one))
        parts.append("; ".join(one.remarks) + ".")
    return "\n\n".join(parts) + "\n"


def draw_claims(claims: Claims) -> Figure:
    """One panel a table: a group of bars a row, a bar a column, lines for one standard error."""
    drawn = [one for one in claims.tables if one.rows]
    figure = Figure(figsize=(WIDE, 2.7 * max(len(drawn), 1)), layout="constrained")
    for axes, one in zip(figure.subplots(max(len(drawn), 1), 1, squeeze=False)[:, 0], drawn, strict=False):
        _bars(axes, one)
    return figure


def as_png(figure: Figure) -> bytes:
    """A figure as the bytes of a file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def _bars(axes: Axes, one: ClaimTable) -> None:
    wide = 0.8 / len(one.columns)
    for place, column in enumerate(one.columns):
        left = np.arange(len(one.rows)) + (place - (len(one.columns) - 1) / 2) * wide
        numbers = [numbers[place] for _, numbers in one.rows]
        drawn = axes.bar(
            left,
            [number.value or 0 for number in numbers],
            wide,
            yerr=[number.error or 0 for number in numbers],
            color=panels.COLORS[place % len(panels.COLORS)],
            hatch=("", "//", "..", "xx")[place % 4],
            label=column,
            error_kw={"linewidth": 1},
        )
        labels = ["" if number.value is None else f"{number.value:.3g}" for number in numbers]
        axes.bar_label(drawn, labels, fontsize=panels.SMALL - 2, padding=1)
    axes.set_xticks(range(len(one.rows)), [name for name, _ in one.rows], parse_math=False)
    axes.margins(y=0.12)
    axes.set_title(one.name, fontsize=panels.SMALL + 1, loc="left", parse_math=False)
    panels.plain(axes)
    axes.legend(fontsize=panels.SMALL - 1, frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))


def _table(one: ClaimTable) -> str:
    lines = [
        f"| {one.by} | {' | '.join(one.columns)} |",
        f"|---{'|---:' * len(one.columns)}|",
        *(f"| {name} | {' | '.join(map(_text, numbers))} |" for name, numbers in one.rows),
    ]
    return "\n".join(lines)


def _text(number: Number) -> str:
    if number.value is None:
        return "-"
    return f"{number.value:.4f}" + (f" ± {number.error:.4f}" if number.error is not None else "")
