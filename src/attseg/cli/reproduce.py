"""``attseg reproduce``: the rows of a paper's table, trained, evaluated, and set beside the paper's figures."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from attseg.cli.options import WHOLE, Names, Overwrite, Whole, data_settings
from attseg.cli.output import print_parts
from attseg.cli.settings import with_settings
from attseg.console import progress_console
from attseg.errors import UsageError
from attseg.recipes.nested import section
from attseg.recipes.recipe import DataSpec, Machine
from attseg.recipes.tables import TABLES, find_tables
from attseg.recipes.values import from_values, settings
from attseg.text import TextTable

NOTES = """
Run one with: attseg reproduce TABLE (readings: the last four).
docs/papers/pan.md and its neighbours name every row"""


@with_settings(("Settings of the data", data_settings()), ("Settings of the machine", settings(Machine, "machine")))
def run(
    table: str | None = None,
    /,
    *,
    budget: Literal["small", "paper"] = "small",
    seeds: Annotated[int, WHOLE] = 1,
    steps: Whole = None,
    only: Names = (),
    out: Annotated[Path, Parameter(metavar="DIR")] = Path("runs", "reproduce"),
    overwrite: Overwrite = False,
    report: bool = False,
    given: dict[str, Any],
) -> int:
    """Train and evaluate the rows of a paper's table, and print them beside the paper's figures.

    Results are kept: after Ctrl-C, a kill or a power cut the same command continues, and a table that is complete is only
    printed.

    --budget small trains the rows on generated scenes with a tiny encoder, some minutes a row on a CPU. That is another task
    than the paper's: compare the differences between rows, not the figures. --budget paper uses the paper's recipes, which need
    the data, a GPU, and days (docs/modules/reproduce.md). Each row is also a recipe: attseg train pan:1/se.

    Args:
        table: Name of a table, such as pan:1; or readings, the tables of what the papers leave open. Without it, the tables are
            listed.
        budget: Scale of the runs.
        seeds: Runs of each row, with different seeds.
        steps: Steps of every run, instead of the recipe's.
        only: Names of rows. Include the baseline row to see differences.
        out: Folder for all runs and tables.
        report: Print and write what has been measured; train nothing.

    Examples:
        attseg reproduce
        attseg reproduce psanet:1 --seeds 3
        attseg reproduce pan:1 --only baseline,se,c357-ave-gp --steps 200
        attseg reproduce pan:5 --budget paper --data.root ~/data/voc --data.options.sbd ~/data/sbd
        attseg reproduce psanet:1 --report
        attseg reproduce readings --seeds 3
    """
    if table is None:
        rows = [
            (one.name, one.title, len(one.rows), sum(row.recipe is not None for row in one.rows))
            for one in TABLES.values()
        ]
        print_parts([TextTable(("table", "what it is", "rows", "to be run"), rows), NOTES])
        return 0
    found = find_tables(table)
    if only and len(found) > 1:
        raise UsageError(f"--only names rows of one table, and {table} are {', '.join(one.name for one in found)}")

    from attseg.reproduce.job import reproduce
    from attseg.runs.errors import Interrupted

    if budget == "paper" and "data.name" in given:
        raise UsageError("data.name is for --budget small; at the paper's scale each row has the paper's data set")
    machine = from_values(Machine, section(given, "machine"), "machine")
    data = from_values(DataSpec, section(given, "data"), "data") if section(given, "data") else None
    options: dict[str, Any] = {"budget": budget, "data": data, "seeds": seeds, "steps": steps, "only": only}
    console = None if report else progress_console()
    try:
        for part in reproduce(found, machine, out=out, overwrite=overwrite, console=console, **options):
            print_parts([part])
    except Interrupted as stop:
        again = shlex.join(["attseg", *sys.argv[1:]])
        raise Interrupted(f"{str(stop).partition(';')[0]}; go on with: {again}", stop.signal) from None
    return 0
