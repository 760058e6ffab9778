"""``attseg reproduce``: the rows of a paper's table, trained, evaluated, and set beside the paper's figures."""

from __future__ import annotations

import shlex
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from attseg.cli.options import WHOLE, Overwrite, Whole, data_settings
from attseg.cli.output import print_parts, print_table, progress_console
from attseg.cli.settings import with_settings
from attseg.errors import UsageError
from attseg.recipes.nested import Values, section
from attseg.recipes.recipe import DataSpec, Machine
from attseg.recipes.tables import TABLES, find_tables
from attseg.recipes.values import from_values, settings

if TYPE_CHECKING:
    from attseg.reproduce.plan import Budget


@with_settings(("Settings of the data", data_settings()), ("Settings of the machine", settings(Machine, "machine")))
def run(
    table: str | None = None,
    /,
    *,
    budget: Literal["small", "paper"] = "small",
    seeds: Annotated[int, WHOLE] = 1,
    steps: Whole = None,
    only: str | None = None,
    out: Path = Path("runs", "reproduce"),
    overwrite: Overwrite = False,
    report: bool = False,
    given: dict[str, Any],
) -> int:
    """Train and evaluate the rows of a paper's table, and print them beside the paper's figures.

    Results are kept: after Ctrl-C, a kill or a power cut the same command continues, and a table that is complete is only
    printed.

    --budget small runs the same rows on generated scenes with a tiny encoder, some minutes a row on a CPU: another task
    than the paper's, on which differences between rows can be seen. --budget paper takes the paper's recipes; they need the
    data, a GPU, and days: docs/modules/reproduce.md. A row is also a recipe: attseg train pan:1/se.

    Args:
        table: Name of a table, such as pan:1, or readings for those of what the papers leave open; without it, the tables are
            listed.
        budget: Scale of the runs.
        seeds: Runs of each row.
        steps: Steps of every run, instead of the recipe's.
        only: Names of rows with commas; name the baseline too for differences.
        out: Folder for all runs and tables.
        report: Print and write what has been measured, and train nothing.

    Examples:
        attseg reproduce
        attseg reproduce psanet:1 --seeds 3
        attseg reproduce pan:1 --only baseline,se,c357-ave-gp --steps 200
        attseg reproduce pan:5 --budget paper --data.root ~/data/voc --data.options.sbd ~/data/sbd
        attseg reproduce psanet:1 --report
        attseg reproduce readings --seeds 3
    """
    if table is None:
        _list()
        return 0
    found = find_tables(table)
    if only and len(found) > 1:
        raise UsageError(f"--only names rows of one table, and {table} are {', '.join(one.name for one in found)}")

    from attseg.reproduce.chart import write_table
    from attseg.reproduce.lines import collect
    from attseg.reproduce.plan import describe_work, plan
    from attseg.reproduce.run import measure
    from attseg.reproduce.shown import table_parts
    from attseg.runs.errors import Interrupted
    from attseg.written import outputs

    machine = from_values(Machine, section(given, "machine"), "machine")
    data, rows = _data(given, budget), only.split(",") if only else ()
    plans = {
        one.name: plan(one, out=out, budget=budget, data=data, seeds=seeds, steps=steps, only=rows) for one in found
    }
    files = {one.name: out / budget / one.name.replace(":", "-") for one in found}
    written = [name.with_suffix(suffix) for name in files.values() for suffix in (".md", ".csv", ".png")]
    with outputs(*written, overwrite=overwrite):  # refused before days of work
        pass
    if not report:
        print(describe_work(chain.from_iterable(plans.values())), file=sys.stderr)
        for measurement in chain.from_iterable(plans.values()):
            try:
                measure(measurement, machine, progress_console())
            except Interrupted as stop:
                again = shlex.join(["attseg", *sys.argv[1:]])
                raise Interrupted(f"{str(stop).partition(';')[0]}; go on with: {again}", stop.signal) from None
    with outputs(*written, overwrite=overwrite):
        for one in found:
            lines = collect(plans[one.name], costs=one.costs)
            write_table(one, budget, lines, files[one.name])
            print_parts(table_parts(one, budget, lines))
            print(f"\n{files[one.name]}.md, .csv and .png hold it" + "\n" * (one is not found[-1]))
    return 0


def _list() -> None:
    rows = [
        (table.name, table.title, len(table.rows), sum(row.recipe is not None for row in table.rows))
        for table in TABLES.values()
    ]
    print_table(("table", "what it is", "rows", "to be run"), rows)
    print("\nRun one with: attseg reproduce TABLE (readings: the last four).")
    print("docs/papers/pan.md and its neighbours name every row")


def _data(given: Values, budget: Budget) -> DataSpec | None:
    """The data given on the command line; the paper's recipes know the name."""
    values = section(given, "data")
    if budget == "paper" and "name" in values:
        raise UsageError("data.name is for --budget small; at the paper's scale each row has the paper's data set")
    root = values.get("root")
    if root:
        values["root"] = str(Path(root).expanduser().absolute())
    return from_values(DataSpec, values, "data") if values else None
