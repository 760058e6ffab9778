"""The expected layout of a folder beside its contents, as columns of text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from attseg.data.reading.hidden import is_hidden
from attseg.data.wording import plural

Tree = Sequence[str]
"""Patterns of files below the root of a data set."""


def compare_trees(root: Path, trees: Sequence[Tree]) -> str:
    """The expected layouts of a data set beside the contents of the folder."""
    expected = [["expected" if not index else "or", *tree] for index, tree in enumerate(trees)]
    columns = [*expected, ["found", *_listing(root)]]
    widths = [max(map(len, column)) for column in columns]
    rows = zip_longest(*columns, fillvalue="")
    return "\n".join(
        "  " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Contents of a folder without hidden entries; empty if there is no such folder."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as found:
        return [entry for entry in found if not is_hidden(entry.name)]


def _listing(folder: Path, most: int = 8) -> list[str]:
    """Names in a folder, folders first and with what they hold."""
    found = sorted(entries(folder), key=lambda entry: (not entry.is_dir(), entry.name))
    lines = [f"{entry.name}/ {_contents(entry)}" if entry.is_dir() else entry.name for entry in found[:most]]
    if len(found) > most:
        lines.append(f"and {len(found) - most} more")
    return lines or ["(nothing)"]


def _contents(folder: os.DirEntry[str]) -> str:
    inside = [entry.is_dir() for entry in entries(Path(folder.path))]
    return f"({plural(sum(inside), 'folder')}, {plural(len(inside) - sum(inside), 'file')})"
