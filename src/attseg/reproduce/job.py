"""Tables from start to end: their runs are done, and their files written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console

from attseg.recipes.recipe import DataSpec, Machine
from attseg.recipes.tables.record import Table
from attseg.reproduce.chart import write_table
from attseg.reproduce.lines import collect
from attseg.reproduce.plan import Budget, describe_work, plan
from attseg.reproduce.run import measure
from attseg.reproduce.shown import table_parts
from attseg.text import TextTable
from attseg.written import outputs


def reproduce(
    tables: Sequence[Table],
    machine: Machine,
    *,
    out: Path,
    budget: Budget,
    data: DataSpec | None = None,
    overwrite: bool = False,
    console: Console | None = None,
    **options: Any,
) -> Iterator[str | TextTable]:
    """Train and evaluate what is missing of some tables, and write each as Markdown, CSV and a picture.

    Args:
        tables: The tables.
        machine: Where and how runs are trained.
        out: Folder of all.
        budget: As of ``plan``.
        data: As of ``plan``.
        overwrite: Whether files of others are replaced.
        console: Where progress is shown; None trains nothing, and takes what is there.
        **options: Further arguments of ``plan``.

    Yields:
        The tables for people, each once it is written.

    Raises:
        UsageError: As ``plan`` and ``measure``, or files are in the way, which is told before days of work.
        Interrupted: Ctrl-C or SIGTERM came; the state was saved.
    """
    if data is not None and data.root:
        data = replace(data, root=str(Path(data.root).expanduser().absolute()))
    plans = [plan(table, out=out, budget=budget, data=data, **options) for table in tables]
    names = [out / budget / table.name.replace(":", "-") for table in tables]
    written = [name.with_suffix(suffix) for name in names for suffix in (".md", ".csv", ".png")]
    with outputs(*written, overwrite=overwrite):
        if console is not None:
            console.print(describe_work(chain.from_iterable(plans)), markup=False, highlight=False, soft_wrap=True)
            for measurement in chain.from_iterable(plans):
                measure(measurement, machine, console)
        for table, measurements, name in zip(tables, plans, names, strict=True):
            lines = collect(measurements, costs=table.costs)
            write_table(table, budget, lines, name)
            yield from table_parts(table, budget, lines)
            yield f"\n{name}.md, .csv and .png hold it" + "\n" * (table is not tables[-1])
