"""The worth of maps as a table, as JSON and as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attseg.explain.ablation import Ablation, Worth
from attseg.files import write_file
from attseg.metrics import as_percent, none_if_nan
from attseg.text import TextTable, csv_text

ALL = "all maps"


def ablation_parts(found: Ablation, *, title: str) -> Iterator[str | TextTable]:
    """The table, those that are worth most first; mIoU in percent, what a map is worth in points."""
    yield f"{title}: {found.pictures} pictures, mIoU {as_percent(found.miou)} % with all maps\n"
    ordered = sorted(found.rows, key=lambda row: -row.worth.value)
    rows = [
        (
            _named(row),
            row.how,
            as_percent(row.miou),
            as_percent(row.worth.value, signed=True),
            f"{as_percent(row.worth.low, signed=True, digits=1)}..{as_percent(row.worth.high, signed=True, digits=1)}",
            as_percent(row.changed),
        )
        for row in ordered
    ]
    yield TextTable(("map", "how", "mIoU %", "worth", "95 %", "changed %"), rows)
    yield "\nworth: points of mIoU that are lost without the map, with the 95 % interval over pictures; below 0 the model is"
    yield "better without it. changed: labelled pixels that get another class"


def write_ablation(found: Ablation, out: Path, *, origin: Mapping[str, Any]) -> None:
    """Write ablation.json and ablation.csv.

    Args:
        found: What was measured.
        out: The folder.
        origin: Further values of ablation.json: what was measured on what.
    """
    table = [("map", "switched", "miou", "worth", "low", "high", "changed", *found.classes.names)]
    for row in found.rows:
        values = (row.miou, *row.worth, row.changed, *(one.value for one in row.classes))
        numbers = ("" if none_if_nan(value) is None else f"{value:.6f}" for value in values)
        table.append((_named(row), row.how, *numbers))
    write_file(out / "ablation.json", json.dumps({**origin, **found.to_dict()}, indent=2, allow_nan=False))
    write_file(out / "ablation.csv", csv_text(table))


def _named(row: Worth) -> str:
    return row.maps[0] if len(row.maps) == 1 else ALL
