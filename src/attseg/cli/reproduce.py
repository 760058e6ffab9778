"""``attseg reproduce``: the rows of a paper's table, trained, evaluated, and set beside the paper's figures."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from attseg.cli.output import print_table, progress_console
from attseg.cli.parser import Parser
from attseg.errors import UsageError
from attseg.recipes.nested import Values, put
from attseg.recipes.recipe import DataSpec, Machine
from attseg.recipes.tables import TABLES, find_table
from attseg.recipes.tables.record import Table
from attseg.recipes.values import from_values, settings

if TYPE_CHECKING:
    from attseg.reproduce.lines import Line
    from attseg.reproduce.plan import Budget

TEXT = """\
Train and evaluate the rows of a paper's table, and print them beside the paper's figures. What is done is kept:
after Ctrl-C, a kill or a power cut the same command goes on from there, and a table that is done is only printed.

`--budget small` (the default) runs the same rows on generated scenes with a tiny encoder, some minutes a row on a
CPU: another task than the paper's, on which differences between rows can be seen. `--budget paper` takes the paper's
recipes; they need the data, a GPU, and days: docs/reproduce.md. Without TABLE, the tables are listed. A row is also
a recipe: `attseg train pan:1/se`."""

EXAMPLES = (
    "attseg reproduce",
    "attseg reproduce psanet:1 --seeds 3",
    "attseg reproduce pan:1 --only baseline,se,c357-ave-gp --steps 200",
    "attseg reproduce pan:5 --budget paper --data.root ~/data/voc --data.options.sbd ~/data/sbd",
    "attseg reproduce psanet:1 --report",
)

DATA = ("data.name", "data.root", "data.options")


def run(argv: Sequence[str]) -> int:
    """Measure what is missing, print the table, and write it."""
    parser = Parser("reproduce", TEXT, EXAMPLES)
    parser.add_argument("table", nargs="?", metavar="TABLE", help="as pan:1; left out, the tables are listed")
    parser.add_argument("--budget", default="small", metavar="{small,paper}", help="at which scale (default: small)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="runs a row (default: 1)")
    parser.add_argument("--steps", type=int, metavar="N", help="steps of every run, instead of the recipe's")
    parser.add_argument("--only", metavar="ROW,..", help="only these rows; name the baseline too for differences")
    parser.add_argument(
        "--out", type=Path, default=Path("runs", "reproduce"), metavar="DIR", help="(default: runs/reproduce)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that attseg did not write")
    parser.add_argument("--report", action="store_true", help="collect what has been measured, and train nothing")
    parser.add_settings("data", (setting for setting in settings(DataSpec, "data") if setting.key in DATA))
    parser.add_settings("machine", settings(Machine, "machine"))
    arguments = parser.parse(argv)
    if arguments.table is None:
        _list()
        return 0
    table = find_table(arguments.table)
    budget = _budget(arguments.budget)

    from attseg.reproduce.lines import collect
    from attseg.reproduce.plan import plan
    from attseg.reproduce.run import measure
    from attseg.training.errors import Interrupted
    from attseg.written import outputs

    machine = from_values(Machine, _section(arguments.given, "machine"), "machine")
    measurements = plan(
        table,
        out=arguments.out,
        budget=budget,
        data=_data(arguments.given, budget),
        seeds=arguments.seeds,
        steps=arguments.steps,
        only=arguments.only.split(",") if arguments.only else (),
    )
    name = arguments.out / budget / table.name.replace(":", "-")
    files = [name.with_suffix(suffix) for suffix in (".md", ".csv", ".png")]
    with outputs(*files, overwrite=arguments.overwrite):  # refused before days of work
        pass
    if not arguments.report:
        for measurement in measurements:
            try:
                measure(measurement, machine, progress_console())
            except Interrupted as stop:
                again = shlex.join(["attseg", "reproduce", *argv])
                raise Interrupted(f"{str(stop).partition(';')[0]}; go on with: {again}", stop.signal) from None
    with outputs(*files, overwrite=arguments.overwrite):
        _show(table, budget, collect(measurements), name)
    return 0


def _show(table: Table, budget: Budget, lines: list[Line], name: Path) -> None:
    from attseg.files import replacing
    from attseg.reproduce.chart import draw_lines
    from attseg.reproduce.lines import NOT_THE_TASK, cells, probe_cells, to_csv, to_markdown

    for suffix, text in ((".md", to_markdown(table, budget, lines)), (".csv", to_csv(lines))):
        with replacing(name.with_suffix(suffix)) as file:
            file.write(text.encode())
    draw_lines(table, budget, lines, name.with_suffix(".png"))
    print(f"{table.name}: {table.title}\n{table.source}\n")
    print_table(*cells(lines))
    headings, probes = probe_cells(lines)
    if probes:
        print("\nour mIoU over the pixels of each difficulty")
        print_table(headings, probes)
    if budget == "small":
        print(f"\n{fill(NOT_THE_TASK, 100)}")
    print(f"\n{name}.md, .csv and .png hold it")


def _list() -> None:
    rows = [
        (table.name, table.title, len(table.rows), sum(row.recipe is not None for row in table.rows))
        for table in TABLES.values()
    ]
    print_table(("table", "what it is", "rows", "to be run"), rows)
    print("\nRun one with: attseg reproduce TABLE; docs/pan.md and its neighbours name every row")


def _budget(text: str) -> Budget:
    if text == "small":
        return "small"
    if text == "paper":
        return "paper"
    raise UsageError(f"budget is {text!r}; small or paper was expected")


def _data(given: Values, budget: Budget) -> DataSpec | None:
    """What the command line says of the data; the paper's recipes know the name."""
    values: dict[str, Any] = _section(given, "data")
    if budget == "paper" and "name" in values:
        raise UsageError("data.name is for --budget small; at the paper's scale each row has the paper's data set")
    root = values.get("root")
    if root:
        values["root"] = str(Path(root).expanduser().absolute())
    return from_values(DataSpec, values, "data") if values else None


def _section(given: Values, name: str) -> Values:
    """The settings below a name, nested, without it."""
    return put({}, {key.removeprefix(f"{name}."): value for key, value in given.items() if key.startswith(f"{name}.")})
