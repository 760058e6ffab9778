"""Measured figures beside the paper's as text, Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from textwrap import fill

from attseg.profiling.count import Cost
from attseg.recipes.tables.record import Table
from attseg.reproduce.lines import Line
from attseg.reproduce.plan import Budget
from attseg.text import TextTable, in_markdown, short

HEADINGS = ("row", "protocol", "paper", "ours", "seeds", "paper Δ", "ours Δ", "steps", "time")
COSTS = ("params M", "mult-adds G")
WIDTH = 80
"""Columns of a terminal that what is printed fits into."""
NOT_THE_TASK = (
    "At a small scale. Ours is another task than the paper's: other pictures, a tiny encoder without pretraining, few and equal "
    "steps for every row. Compare the differences between rows, never the figures."
)
CLASS_COLUMNS = ("paper_iou", "iou")


def about(lines: Sequence[Line]) -> str:
    """What the figures of these lines are; nothing about columns that are empty in all of them."""
    ours = any(line.results for line in lines)
    text = "mIoU in percent"
    if any(line.paper_accuracy is not None for line in lines):
        text += ", with pixel accuracy behind a slash where the paper has it"
    if ours:
        text += "; ours is of the weights after the last step, mean ± standard deviation over the seeds"
    if any(line.difference is not None for line in lines):
        return f"{text}. Δ is the difference to the baseline row, ours over the seeds that both have."
    if any(line.paper_difference is not None for line in lines):
        return f"{text}. Δ is the difference to the baseline row."
    return f"{text}."


def cells(lines: Sequence[Line]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows for people."""
    rows: list[tuple[str, ...]] = [
        (
            line.row,
            line.protocol,
            _number(line.paper) + _behind(line.paper_accuracy),
            _number(line.miou)
            + (f" ± {line.spread:.2f}" if line.spread is not None else "")
            + _behind(line.accuracy if line.paper_accuracy is not None else None),
            str(len(line.results) or ""),
            _signed(line.paper_difference),
            _signed(line.difference),
            "" if line.steps is None else str(line.steps),
            "" if line.seconds is None else _minutes(line.seconds),
        )
        for line in lines
    ]
    if not any(line.cost for line in lines):
        return HEADINGS, rows
    return HEADINGS + COSTS, [row + _costs(line.cost) for row, line in zip(rows, lines, strict=True)]


def _costs(cost: Cost | None) -> tuple[str, ...]:
    return ("", "") if cost is None else (f"{cost.parameters / 1e6:.2f}", f"{cost.multiply_adds / 1e9:.1f}")


def class_cells(lines: Sequence[Line]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows of the IoU of each class, for the rows in which the paper prints it; ours stands behind the paper's."""
    shown = [line for line in lines if line.paper_classes]
    names = list(dict.fromkeys(name for line in shown for name in line.paper_classes))
    headings = ["class"]
    for line in shown:
        headings += [line.printed, *(["ours"] if line.results else [])]
    rows = []
    for name in names:
        row = [name]
        for line in shown:
            row += [_number(line.paper_classes.get(name)), *([_number(line.iou(name))] if line.results else [])]
        rows.append(tuple(row))
    return tuple(headings), rows


def probe_cells(lines: Sequence[Line]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows of our mIoU over the pixels of each difficulty, where the data set names some; else no rows."""
    names = sorted({name for line in lines for result in line.results for name in result.probes})
    rows = [(line.row, line.protocol, *(_number(line.probe(name)) for name in names)) for line in lines if line.results]
    return ("row", "protocol", *names), rows if names else []


def to_markdown(table: Table, budget: Budget, lines: Sequence[Line]) -> str:
    """A page with the table."""
    texts = [
        f"# {table.name}: {table.title}",
        f"{table.source}. {about(lines)}{' Time is of training alone.' if any(line.results for line in lines) else ''}",
    ]
    if budget == "small":
        texts.append(f"**{NOT_THE_TASK}**")
    texts.append(_markdown(*cells(lines)))
    headings, probes = probe_cells(lines)
    if probes:
        texts += ["Our mIoU over the pixels of each difficulty alone:", _markdown(headings, probes)]
    headings, classes = class_cells(lines)
    if classes:
        texts += ["IoU of each class in percent:", _markdown(headings, classes)]
    names = {line.row: f"- `{line.row}`: {line.printed}{f'; {line.note}' if line.note else ''}" for line in lines}
    return "\n\n".join([*texts, "\n".join(names.values()), *([table.note] if table.note else [])]) + "\n"


def to_csv(lines: Sequence[Line]) -> str:
    """A row for each run of each line, with every digit; rows that were not run have empty cells."""
    probes = sorted({name for line in lines for result in line.results for name in result.probes})
    classes = list(dict.fromkeys(name for line in lines for name in line.paper_classes))
    names = ["row", "protocol", "paper_miou", "paper_accuracy", "seed", "miou", "accuracy", "steps", "seconds"]
    names += [f"probe_{short(name)}" for name in probes] + [
        f"{kind}_{name}" for name in classes for kind in CLASS_COLUMNS
    ]
    names += ["parameters", "multiply_adds"] * any(line.cost for line in lines)
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    for line in lines:
        printed: dict[str, str | float] = {"row": line.row, "protocol": line.protocol}
        printed |= {"paper_miou": _plain(line.paper), "paper_accuracy": _plain(line.paper_accuracy)}
        printed |= {f"paper_iou_{name}": value for name, value in line.paper_classes.items()}
        if line.cost is not None:
            printed |= {"parameters": line.cost.parameters, "multiply_adds": line.cost.multiply_adds}
        for result in line.results:
            measured = {"seed": result.seed, "miou": 100 * result.miou, "accuracy": 100 * result.accuracy}
            measured |= {"steps": result.steps, "seconds": round(result.seconds, 1)}
            measured |= {f"probe_{short(name)}": 100 * value for name, value in result.probes.items()}
            measured |= {f"iou_{name}": 100 * result.classes[name] for name in classes if name in result.classes}
            writer.writerow(printed | measured)
        if not line.results:
            writer.writerow(printed)
    return text.getvalue()


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    aligned = ["---:" if heading not in ("row", "protocol") else "---" for heading in headings]
    shown = (map(in_markdown, row) for row in (headings, aligned, *rows))  # names of probes come from the data set
    return "\n".join(f"| {' | '.join(row)} |" for row in shown)


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


def table_parts(table: Table, budget: Budget, lines: list[Line]) -> Iterator[str | TextTable]:
    """A table in words and tables, for people.

    Args:
        table: Of the paper.
        budget: Scale of our runs.
        lines: What was measured.
    """
    yield f"{fill(f'{table.name}: {table.title}', WIDTH)}\n{table.source}"
    for protocol in dict.fromkeys(line.protocol for line in lines):
        alike = [line for line in lines if line.protocol == protocol]
        said, shown = _without_equal(alike)
        yield f"\n{', '.join([f'protocol {protocol}', *said])}\n"
        yield shown
    headings, probes = probe_cells(lines)
    if probes:
        yield "\nour mIoU over the pixels of each difficulty\n"
        yield TextTable(headings, probes)
    headings, classes = class_cells([line for line in lines if line.row == lines[-1].row])
    if classes:
        yield "\nIoU of each class in percent; the files have those of the other rows\n"
        yield TextTable(headings, classes)
    for note in (about(lines), *([NOT_THE_TASK] if budget == "small" else []), table.note):
        if note:
            yield f"\n{fill(note, WIDTH)}"


def _without_equal(lines: Sequence[Line]) -> tuple[list[str], TextTable]:
    """Lines of one protocol as a table, without the columns that are equal or empty in all; these are said beside it.

    Time is left to the files where there are costs.
    """
    headings, rows = cells(lines)
    left_out = {"protocol", *(["time"] if any(line.cost for line in lines) else [])}
    said, kept = [], []
    for index, heading in enumerate(headings):
        values = {row[index] for row in rows} - {""}
        if heading in ("seeds", "steps") and len(values) == 1:
            said.append(f"{heading} {values.pop()}")
        elif heading not in left_out and (values or heading in ("paper", "ours")):
            kept.append(index)
    return said, TextTable([headings[i] for i in kept], [[row[i] for i in kept] for row in rows])


def _behind(accuracy: float | None) -> str:
    return "" if accuracy is None else f"/{accuracy:.2f}"
