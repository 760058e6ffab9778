"""Costs of networks as plain values, for JSON: bytes, counts and seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attseg.profiling.count import Cost, Profile, profile
from attseg.profiling.speed import Latency
from attseg.profiling.subject import Subject, find_subject
from attseg.profiling.tables import CostTable


def profiles_dict(
    subjects: list[Subject],
    profiles: list[Profile],
    timings: list[tuple[Latency, int | None]],
    size: tuple[int, int],
) -> dict[str, Any]:
    """All of it as plain values: bytes, counts and seconds."""
    models = []
    for index, (subject, found) in enumerate(zip(subjects, profiles, strict=True)):
        values = {
            "name": subject.label,
            "model": subject.model,
            "args": subject.args,
            "num_classes": subject.num_classes,
            **_costs(found.total),
            "parts": {name: _costs(cost) for name, cost in found.parts.items()},
            "training_adds": {name: _costs(cost) for name, cost in found.training.items()},
        }
        if timings:
            latency, memory = timings[index]
            values["time"] = vars(latency) | {"peak_bytes": memory}
        models.append(values)
    return {"size": size, "models": models}


def profile_table(table: CostTable) -> list[Profile | None]:
    """Our counts for each row of a paper's table; None where there is no model of ours."""
    return [
        profile(find_subject(row.model, row.args, num_classes=table.num_classes).build(), table.size)
        if row.model
        else None
        for row in table.rows
    ]


def paper_dict(table: CostTable, ours: Sequence[Profile | None]) -> dict[str, Any]:
    """A paper's table with our numbers in full."""
    rows = []
    for row, found in zip(table.rows, ours, strict=True):
        printed = {"parameters_m": row.parameters, "multiply_adds_g": row.multiply_adds, "miou_percent": row.miou}
        counted = None if found is None else _costs(found.total + found.added_by_training)
        rows.append(
            {"method": row.method, "paper": printed, "model": row.model, "args": dict(row.args), "ours": counted}
        )
    return {"title": table.title, "size": table.size, "num_classes": table.num_classes, "rows": rows}


def _costs(cost: Cost) -> dict[str, Any]:
    return {
        "parameters": cost.parameters,
        "multiply_adds": cost.multiply_adds,
        "flops": cost.flops,
        "kept_bytes": cost.kept_bytes,
        "peak_bytes": cost.peak_bytes,
        "uncounted": dict(cost.uncounted),
    }
