"""Several runs as one result: mean and standard deviation over folds, or over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attseg import metrics
from attseg.errors import UsageError
from attseg.metrics import Floats, as_percent
from attseg.text import TextTable

ALIKE = ("data", "split", "protocol", "crf")
"""Values of reports that have to be equal, so that a mean over them means something."""


@dataclass(frozen=True, eq=False)
class Folds:
    """Reports of several runs.

    Args:
        runs: What the runs are called.
        classes: Names of the classes.
        iou: (R, K) IoU of each run and class in [0, 1]; NaN where a class is absent.
        miou: (R,) mIoU of each run.
        pictures: How many pictures each was measured on.
        together: mIoU of the confusion matrices of all runs, added up: where folds share no picture, each picture counts once.
        apart: Whether all were measured on other pictures.
    """

    runs: tuple[str, ...]
    classes: tuple[str, ...]
    iou: Floats
    miou: Floats
    pictures: tuple[int, ...]
    together: float
    apart: bool

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; the standard deviation is that of a sample (n - 1)."""
        return {
            "runs": list(self.runs),
            "pictures": list(self.pictures),
            "miou": _spread(self.miou) | {"each": self.miou.tolist()},
            "per_class": {name: _spread(self.iou[:, index]) for index, name in enumerate(self.classes)},
            "miou_of_added_counts": self.together if self.apart else None,
        }


def summarise_runs(reports: Mapping[str, Mapping[str, Any]]) -> Folds:
    """Put the reports of several runs together.

    Args:
        reports: By run, as ``attseg evaluate`` writes them to report.json.

    Raises:
        UsageError: They are not of the same classes, data set, split and protocol.
    """
    names = tuple(reports)
    first = reports[names[0]]
    for name, report in reports.items():
        for key, value, other in (
            ("classes", [*report["per_class"]], [*first["per_class"]]),
            *((key, report.get(key), first.get(key)) for key in ALIKE),
        ):
            if value != other:
                raise UsageError(f"{names[0]} and {name} differ in {key}; a mean over runs needs the same {key} in all")
    iou = np.array([[_number(value) for value in report["per_class"].values()] for report in reports.values()])
    counts = sum(np.array(report["counts"], np.int64) for report in reports.values())
    files = [report.get("files") for report in reports.values()]
    return Folds(
        tuple(short_names(names)),
        tuple(first["per_class"]),
        iou,
        np.array([_number(report["miou"]) for report in reports.values()]),
        tuple(report["pictures"] for report in reports.values()),
        metrics.mean_present(metrics.iou(np.asarray(counts))),
        len(set(files)) == len(files),
    )


def folds_parts(folds: Folds) -> Iterator[str | TextTable]:
    """The table for people: IoU in percent."""
    head = ("class", *folds.runs, "mean", "std")
    rows = [(name, *_cells(folds.iou[:, index])) for index, name in enumerate(folds.classes)]
    yield f"IoU of {len(folds.runs)} runs in percent, on {', '.join(map(str, folds.pictures))} pictures\n"
    yield TextTable(head, rows, last=("mean", *_cells(folds.miou)))
    mean, std = (as_percent(_spread(folds.miou)[name]) for name in ("mean", "std"))
    yield f"\nmIoU {mean} ± {std} % (mean ± standard deviation of {len(folds.runs)} runs)"
    if folds.apart:
        yield f"mIoU of all pictures together {as_percent(folds.together)} % (confusion matrices added up)"
    else:
        yield "some runs were measured on the same pictures: this is the spread over runs, not over pictures"


def _spread(values: Floats) -> dict[str, Any]:
    """Mean and standard deviation of the values that are there."""
    there = values[~np.isnan(values)]
    return {
        "mean": float(there.mean()) if len(there) else None,
        "std": float(there.std(ddof=1)) if len(there) > 1 else None,
        "runs": len(there),
    }


def _cells(values: Floats) -> list[str]:
    spread = _spread(values)
    return [*map(as_percent, values), as_percent(spread["mean"]), as_percent(spread["std"])]


def short_names(names: Sequence[str]) -> Sequence[str]:
    """The last parts of paths, as few as tell them apart; the names themselves where nothing does.

    Example:
        >>> short_names(["runs/fcn/seed-0", "runs/pan/seed-0"])
        ['fcn/seed-0', 'pan/seed-0']
    """
    parts = [Path(name).parts for name in names]
    for last in range(1, max(map(len, parts), default=0) + 1):
        short = ["/".join(each[-last:]) for each in parts]
        if len(set(short)) == len(short):
            return short
    return names


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
