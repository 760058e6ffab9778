"""A table as a picture: the paper's figures and ours, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure as Picture

from attseg.files import replacing, write_file
from attseg.recipes.tables.record import Table
from attseg.reproduce.lines import Line
from attseg.reproduce.plan import Budget
from attseg.reproduce.shown import to_csv, to_markdown

BLUE, ORANGE = "#0072b2", "#d55e00"


def write_table(table: Table, budget: Budget, lines: Sequence[Line], name: Path) -> None:
    """Write a table as NAME.md, NAME.csv and NAME.png.

    Args:
        table: Of the paper.
        budget: Scale of our runs.
        lines: What was measured.
        name: Path without a suffix.
    """
    for suffix, text in ((".md", to_markdown(table, budget, list(lines))), (".csv", to_csv(list(lines)))):
        write_file(name.with_suffix(suffix), text)
    draw_lines(table, budget, lines, name.with_suffix(".png"))


def draw_lines(table: Table, budget: Budget, lines: Sequence[Line], out: Path) -> None:
    """Draw the paper's mIoU on the left and ours on the right, each on a scale of its own.

    Args:
        table: Gives the title.
        budget: Says whether ours is the paper's task.
        lines: What to draw; ours has a bar of one standard deviation to either side where there are several seeds.
        out: A PNG file.
    """
    names = [line.printed if budget == "small" else f"{line.printed}, {line.protocol}" for line in lines]
    places = range(len(lines))
    picture = Picture(figsize=(9, 1.2 + 0.3 * len(lines)), layout="constrained")
    left, right = picture.subplots(1, 2, sharey=True)
    paper = [(place, line.paper) for place, line in zip(places, lines, strict=True) if line.paper is not None]
    left.plot([miou for _, miou in paper], [place for place, _ in paper], "o", color=BLUE)
    for place, line in zip(places, lines, strict=True):
        if line.miou is not None:
            right.errorbar(line.miou, place, xerr=line.spread or 0.0, fmt="o", color=ORANGE, capsize=3)
            for result in line.results:
                right.plot(100 * result.miou, place, "|", color=ORANGE, alpha=0.6)
    left.set_yticks(list(places), names, fontsize=9, parse_math=False)
    left.invert_yaxis()
    left.set_xlabel("paper, mIoU (%)")
    right.set_xlabel("ours, mIoU (%)" + (": another task, at a small scale" if budget == "small" else ""))
    for axes in (left, right):
        axes.grid(axis="x", color="#e0e0e0", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    picture.suptitle(f"{table.name}: {table.title}", fontsize=10)
    with replacing(out) as file:
        picture.savefig(file, format="png", dpi=120)
