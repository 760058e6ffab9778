"""``attseg evaluate A --against B``: which classes moved, by how much, and on which pictures."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.cli.evaluate_output import over_pictures
from attseg.cli.measuring import Measured, Task, measure
from attseg.cli.output import print_table
from attseg.errors import UsageError

if TYPE_CHECKING:
    from attseg.checkpoint import Weights
    from attseg.evaluation.comparison import Comparison
    from attseg.inference.exported.description import Description

SHOWN = 6
"""Pictures in comparison.png."""


def check_comparable(
    weights: Weights | Description, run: str, other: Weights | Description, other_run: str, *, data_named: bool
) -> None:
    """Refuse models whose numbers would not be of one thing.

    Raises:
        UsageError: They have other classes, or were trained on other data and nobody said on which to compare them.
    """
    if weights.classes.names != other.classes.names:
        raise UsageError(
            f"{run} knows {len(weights.classes)} classes and {other_run} {len(other.classes)}, or other names or order; only "
            "models of the same classes can be compared"
        )
    from attseg.checkpoint import trained_on

    one, two = (trained_on(each.info) for each in (weights, other))
    if one != two and not data_named:
        raise UsageError(
            f"{run} was trained on {one or 'unnamed data'} and {other_run} on {two or 'unnamed data'}; "
            "say with --data.name and --data.root on which data both are to be compared"
        )


def compare_runs(task: Task, measured: Measured, other: Path, folder: Path, block: int) -> tuple[Comparison, Measured]:
    """Evaluate the other model on the same split, and compare."""
    from attseg.evaluation.comparison import compare

    second = measure(task, other, folder / "against")
    assert measured.kept is not None  # a comparison keeps its counts
    assert second.kept is not None
    return compare(task.data.classes.names, measured.kept, second.kept, block=block), second


def print_comparison(comparison: Comparison, arguments: Namespace) -> None:
    """A table of IoU in percent; the change and its interval in points."""
    drawn = over_pictures(comparison.block)
    print(f"\n{arguments.run} against {arguments.against}, in points of IoU with 95 % intervals over {drawn}\n")
    columns = zip(
        ("mean", *comparison.names),
        comparison.before,
        comparison.after,
        (comparison.miou, *comparison.classes),
        strict=True,
    )
    rows = [
        (
            name,
            _number(before),
            _number(after),
            _points(change.value),
            f"{_points(change.low)} .. {_points(change.high)}",
        )
        for name, before, after, change in columns
    ]
    print_table(("class", "before %", "after %", "change", "interval"), rows[1:], last=rows[0])
    moved = [
        name
        for name, change in zip(comparison.names, comparison.classes, strict=True)
        if change.low > 0 or change.high < 0
    ]
    print(f"\nmoved beyond chance: {', '.join(moved) or 'none'}")


def write_comparison(
    comparison: Comparison, task: Task, runs: tuple[Measured, Measured], names: tuple[str, str], out: Path
) -> None:
    """Write comparison.json, and comparison.png with the pictures that changed most."""
    from attseg.evaluation.pictures import draw_samples
    from attseg.files import replacing

    values: dict[str, Any] = {"run": names[0], "against": names[1], **comparison.to_dict()}
    with replacing(out / "comparison.json") as file:
        file.write(json.dumps(values, indent=2).encode())
    changes = comparison.changes[:SHOWN]
    rows = []
    for change in changes:
        sample = task.data[change.index]
        rows.append((sample.image, sample.labels, *(run.label(sample.image) for run in runs)))
    captions = [
        f"{one.name}: {_number(one.before)} % of pixels right before, {_number(one.after)} % after" for one in changes
    ]
    headings = ("image", "labels", f"after: {Path(names[0]).name}", f"before: {Path(names[1]).name}")
    draw_samples(rows, task.data.classes, out / "comparison.png", headings=headings, captions=captions)


def _number(share: float) -> str:
    return "-" if share != share else f"{100 * share:.2f}"


def _points(share: float) -> str:
    return "-" if share != share else f"{100 * share:+.2f}"
