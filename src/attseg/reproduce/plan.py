"""Which runs a table needs, and where each lies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from attseg.errors import UsageError
from attseg.extras import install_command
from attseg.prediction.crf import DenseCrf, has_crf
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import find_protocol
from attseg.recipes.recipe import DataSpec, Recipe
from attseg.recipes.tables.record import Figure, Row, Table
from attseg.recipes.tables.small import SmallData, small, small_figures

Budget = Literal["small", "paper"]


@dataclass(frozen=True)
class Measurement:
    """One figure of a row, to be measured.

    Args:
        row: Of the table.
        figure: What the paper prints.
        protocol: How pictures are seen; None where the row cannot be run.
        runs: The trained networks that it is measured on, one a seed.
        crf: What refines predictions, where the row asks for it.
        note: What was read into the row, or why it is not run.
    """

    row: Row
    figure: Figure
    protocol: Protocol | None
    runs: tuple[Run, ...]
    crf: DenseCrf | None = None
    note: str = ""


@dataclass(frozen=True)
class Run:
    """A recipe with a seed, and its run folder."""

    recipe: Recipe
    folder: Path


def describe_work(measurements: Iterable[Measurement]) -> str:
    """The runs, their steps and how many are begun, in a line; runs that several rows share count once."""
    runs = {run.folder: run.recipe for measurement in measurements for run in measurement.runs}
    epochs = any(recipe.epochs for recipe in runs.values())
    length = "" if epochs else f", {sum(recipe.steps for recipe in runs.values())} steps in all"
    there = sum((folder / "recipe.yaml").exists() for folder in runs)
    begun = f", {there} of them begun or done" if there else ""
    return (
        f"{len(runs)} runs{length}{begun}; each tells its time after some steps. Ctrl-C saves, and this command goes on"
    )


def plan(
    table: Table,
    *,
    out: Path,
    budget: Budget = "small",
    data: DataSpec | None = None,
    seeds: int = 1,
    steps: int | None = None,
    only: Sequence[str] = (),
) -> list[Measurement]:
    """The runs and figures to be measured for a table.

    Rows with the same recipe share their runs, also over tables: a run lies in ``out/budget/NAME/seed-N``.

    Args:
        table: The table.
        out: Folder of all.
        budget: ``paper`` takes the paper's recipes; ``small`` the same rows on generated scenes or CamVid, with equal steps.
        data: ``root`` and ``options`` replace the recipe's; ``name`` chooses between ``scenes`` and ``camvid`` at a small scale.
        seeds: Runs a row, with the seeds 0, 1 and so on.
        steps: Optimiser steps instead of the recipe's, the same for all rows.
        only: Names of rows; all where empty.

    Raises:
        UsageError: There is no such row, or a number or a data set that makes no sense.
    """
    if seeds < 1:
        raise UsageError(f"seeds is {seeds}; at least 1 was expected")
    rows = [table.row(name) for name in only] or list(table.rows)
    found = []
    for row in rows:
        recipe, figures = _recipe(table, row, budget, data, steps)
        for figure in figures:
            protocol = None
            runs: tuple[Run, ...] = ()
            left_out = row.crf and not has_crf()
            if recipe is not None and not left_out:
                protocol = find_protocol(figure.protocol, data=recipe.data.name, changes=figure.changes)
                folder = out / budget / recipe.name
                runs = tuple(Run(replace(recipe, seed=seed), folder / f"seed-{seed}") for seed in range(seeds))
            note = f"not run: the dense CRF is not installed ({install_command('crf')})" if left_out else row.note
            found.append(Measurement(row, figure, protocol, runs, DenseCrf() if row.crf and runs else None, note))
    return found


def _recipe(
    table: Table, row: Row, budget: Budget, data: DataSpec | None, steps: int | None
) -> tuple[Recipe | None, tuple[Figure, ...]]:
    """The recipe that stands for a row within the budget, and the figures to be measured."""
    if budget == "small":
        recipe = small(table, row, data=_small_data(data), steps=steps)
        figures = small_figures(row)
    else:
        recipe, figures = row.recipe, row.figures
        if recipe is not None and steps is not None:
            recipe = replace(recipe, steps=steps)
    if recipe is not None and data is not None:
        options = {**recipe.data.options, **data.options}
        recipe = replace(recipe, data=replace(recipe.data, root=data.root, options=options))
    return recipe, figures


def _small_data(data: DataSpec | None) -> SmallData:
    if data is None or data.name == "scenes":
        return "scenes"
    if data.name == "camvid":
        return "camvid"
    raise UsageError(f"at a small scale data.name is scenes or camvid, and {data.name!r} was given; see --budget paper")
