"""Tables of measured figures beside the paper's, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from textwrap import fill

from attseg.recipes.tables.record import Table
from attseg.reproduce.plan import Budget, Measurement
from attseg.reproduce.run import Result, read_result
from attseg.text import Table as Shown
from attseg.text import in_markdown, short

HEADINGS = ("row", "protocol", "paper", "ours", "seeds", "paper +/-", "ours +/-", "steps", "time")
NOT_THE_TASK = (
    "At a small scale. Ours is another task than the paper's: other pictures, a tiny encoder without pretraining, few and equal "
    "steps for every row. Compare the differences between rows, never the figures."
)


@dataclass(frozen=True)
class Line:
    """One figure of a row, the paper's and ours, in percent.

    Args:
        row: Name of the row.
        printed: What the paper calls it.
        protocol: How pictures were seen.
        paper: The paper's mIoU.
        paper_accuracy: The paper's share of right pixels.
        paper_difference: The paper's mIoU minus that of the baseline row.
        results: Ours, one a seed.
        difference: Our mean minus that of the baseline row.
        note: Why there is nothing of ours, or what was read into the row.
    """

    row: str
    printed: str
    protocol: str
    paper: float | None
    paper_accuracy: float | None
    paper_difference: float | None
    results: tuple[Result, ...]
    difference: float | None
    note: str

    @property
    def miou(self) -> float | None:
        """Mean over the seeds."""
        return 100 * mean(result.miou for result in self.results) if self.results else None

    @property
    def spread(self) -> float | None:
        """Standard deviation over the seeds, as of a sample; None for one."""
        return 100 * stdev(result.miou for result in self.results) if len(self.results) > 1 else None

    def probe(self, name: str) -> float | None:
        """Mean of the mIoU over the pixels of a difficulty."""
        found = [result.probes[name] for result in self.results if name in result.probes]
        return 100 * mean(found) if found else None

    @property
    def seconds(self) -> float | None:
        """Mean over the seeds."""
        return mean(result.seconds for result in self.results) if self.results else None

    @property
    def steps(self) -> int | None:
        """Optimiser steps of each run."""
        return self.results[0].steps if self.results else None


def collect(measurements: Sequence[Measurement]) -> list[Line]:
    """The lines of what has been measured so far; nothing is trained.

    Raises:
        UsageError: A folder holds a run with other settings.
    """
    found = [(one, _results(one)) for one in measurements]
    lines = []
    for one, results in found:
        # a figure is compared with the baseline's under the same protocol, or with its only one
        bases = [(other, theirs) for other, theirs in found if other.row.name == one.row.baseline]
        alike = [pair for pair in bases if pair[0].figure.protocol == one.figure.protocol] or bases[:1]
        paper = ours = None
        if alike:
            base, theirs = alike[0]
            if one.figure.miou is not None and base.figure.miou is not None:
                paper = one.figure.miou - base.figure.miou
            seeds = {result.seed for result in results} & {result.seed for result in theirs}
            if seeds:
                ours = _mean(results, seeds) - _mean(theirs, seeds)
        lines.append(
            Line(
                row=one.row.name,
                printed=one.row.printed,
                protocol=(one.protocol.name if one.protocol else one.figure.protocol),
                paper=one.figure.miou,
                paper_accuracy=one.figure.accuracy,
                paper_difference=paper,
                results=results,
                difference=ours,
                note=one.row.note,
            )
        )
    return lines


def cells(lines: Sequence[Line]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows for people."""
    rows: list[tuple[str, ...]] = [
        (
            line.row,
            line.protocol,
            _number(line.paper),
            _number(line.miou) + (f" ± {line.spread:.2f}" if line.spread is not None else ""),
            str(len(line.results) or ""),
            _signed(line.paper_difference),
            _signed(line.difference),
            "" if line.steps is None else str(line.steps),
            "" if line.seconds is None else _minutes(line.seconds),
        )
        for line in lines
    ]
    return HEADINGS, rows


def probe_cells(lines: Sequence[Line]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows of our mIoU over the pixels of each difficulty, where the data set names some; else no rows."""
    names = sorted({name for line in lines for result in line.results for name in result.probes})
    rows = [(line.row, line.protocol, *(_number(line.probe(name)) for name in names)) for line in lines if line.results]
    return ("row", "protocol", *names), rows if names else []


def to_markdown(table: Table, budget: Budget, lines: Sequence[Line]) -> str:
    """A page with the table."""
    texts = [
        f"# {table.name}: {table.title}",
        f"{table.source}. mIoU in percent; ours is of the weights after the last step, mean ± standard deviation over the seeds. "
        "A difference is to the table's baseline row, ours over the seeds that both have. Time is of training alone.",
    ]
    if budget == "small":
        texts.append(f"**{NOT_THE_TASK}**")
    texts.append(_markdown(*cells(lines)))
    headings, probes = probe_cells(lines)
    if probes:
        texts += ["Our mIoU over the pixels of each difficulty alone:", _markdown(headings, probes)]
    names = {line.row: f"- `{line.row}`: {line.printed}{f'; {line.note}' if line.note else ''}" for line in lines}
    return "\n\n".join([*texts, "\n".join(names.values()), *([table.note] if table.note else [])]) + "\n"


def to_csv(lines: Sequence[Line]) -> str:
    """A row for each run of each line, with every digit; rows that were not run have empty cells."""
    probes = sorted({name for line in lines for result in line.results for name in result.probes})
    names = ["row", "protocol", "paper_miou", "paper_accuracy", "seed", "miou", "accuracy", "steps", "seconds"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*names, *(f"probe_{short(name)}" for name in probes)))
    for line in lines:
        printed = (line.row, line.protocol, _plain(line.paper), _plain(line.paper_accuracy))
        for result in line.results:
            measured = (result.seed, 100 * result.miou, 100 * result.accuracy, result.steps, round(result.seconds, 1))
            writer.writerow(
                (*printed, *measured, *(_plain(100 * result.probes[p]) if p in result.probes else "" for p in probes))
            )
        if not line.results:
            writer.writerow((*printed, *[""] * (len(names) - 4 + len(probes))))
    return text.getvalue()


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    aligned = ["---:" if heading not in ("row", "protocol") else "---" for heading in headings]
    shown = (map(in_markdown, row) for row in (headings, aligned, *rows))  # names of probes come from the data set
    return "\n".join(f"| {' | '.join(row)} |" for row in shown)


def _results(measurement: Measurement) -> tuple[Result, ...]:
    if measurement.protocol is None:
        return ()
    found = (read_result(run, measurement.protocol) for run in measurement.runs)
    return tuple(result for result in found if result is not None)


def _mean(results: Sequence[Result], seeds: set[int]) -> float:
    return 100 * mean(result.miou for result in results if result.seed in seeds)


def _plain(value: float | None) -> str | float:
    return "" if value is None else value


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.2f}"


def _minutes(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def table_parts(table: Table, budget: Budget, lines: list[Line]) -> Iterator[str | Shown]:
    """A table in words and tables, for people.

    Args:
        table: Of the paper.
        budget: Scale of our runs.
        lines: What was measured.
    """
    yield f"{table.name}: {table.title}\n{table.source}\n"
    yield Shown(*cells(lines))
    headings, probes = probe_cells(lines)
    if probes:
        yield "\nour mIoU over the pixels of each difficulty"
        yield Shown(headings, probes)
    if budget == "small":
        yield f"\n{fill(NOT_THE_TASK, 100)}"
