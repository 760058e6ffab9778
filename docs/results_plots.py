"""Draw the plots of ``results.md`` from the records: differences with intervals, score over cost, claims by seed, CamVid.

Colours are those of Okabe and Ito, every group has a mark of its own too, and the ground is white, so that the plots can be
read by anybody and on a dark page. Each file holds the digest of the record, and of the code, that it was drawn from.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image
from results_camvid import plot as camvid
from results_claims import STATEMENTS, Pair, pairs_of
from results_numbers import RESULTS, Record, read
from results_page import MIXES, OWN, TITLES

FOLDER = Path(__file__).parent / "pictures" / "results"
PLOTS = {"delta.png": "scenes", "cost.png": "scenes", "claims.png": "claims", "camvid.png": "camvid"}
"""By file, the record that it shows."""

GROUPS = {
    "psanet": ("PSANet, table 1", "#0072b2", "o"),
    "pan": ("PAN, tables 1, 3 and 5", "#d55e00", "s"),
    "dfdam": ("DF-DAM, table 1", "#009e73", "^"),
    "a2r": ("Attention to Refine, tables 1 and 2", "#cc79a7", "D"),
    "mix": ("mixes", "#000000", "P"),
}
GREY = "#595959"
PLACES = [(side, up) for up in (4, -5, 12, -13, 20, -21) for side in (8, -8)]
"""Where a name may stand beside its point, in points of type, the best place first."""

MARK = 5
"""Half of the side of a point's mark, in pixels, that no name may cover."""

LEAST = -4.0
"""Doublings at which the axis of claims ends; what lies beyond, and a share of nothing, is drawn there."""


def behind() -> list[str]:
    """The plots that were drawn from another record, or are not there."""
    return [name for name, record in PLOTS.items() if _drawn_from(FOLDER / name) != _digest(record)]


def draw() -> None:
    """Draw all plots."""
    record = Record(read("scenes"))
    figures = {
        "delta.png": delta(record),
        "cost.png": cost(record),
        "claims.png": claims(),
        "camvid.png": camvid(read("camvid")),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, figure in figures.items():
        buffer = BytesIO()
        metadata = {"Comment": _digest(PLOTS[name]), "Software": None}
        figure.savefig(buffer, format="png", dpi=110, facecolor="white", metadata=metadata)
        (FOLDER / name).write_bytes(buffer.getvalue())


def delta(record: Record) -> Figure:
    """Of each row, by how much it is above its baseline: here with interval and seeds, and in the paper."""
    rows = [(table, row) for table in TITLES for row in record.tables[table] if row["baseline"]]
    figure = Figure(figsize=(9, 0.27 * (len(rows) + len(TITLES)) + 1), layout="constrained")
    axes = figure.subplots()
    names, place = [], 0
    for table in TITLES:
        names.append((place, table))
        place += 1
        for _, row in (pair for pair in rows if pair[0] == table):
            names.append((place, f"{row['row']}"))
            one, base = record.networks[row["network"]], record.networks[row["baseline"]]
            _, color, mark = GROUPS[_group(one.name)]
            gain = one.minus(base)
            if gain is not None:
                half = gain.half or 0
                axes.errorbar(gain.value, place, xerr=half, fmt=mark, color=color, capsize=3, markersize=6)
                theirs = base.values("miou")
                for seed, miou in one.values("miou").items():
                    if seed in theirs:
                        axes.plot(miou - theirs[seed], place, "|", color=color, markersize=9)
            if row["paper"] is not None:
                axes.plot(row["paper"] - row["paper_baseline"], place, "x", color=GREY, markersize=5)
            place += 1
    axes.set_yticks([where for where, _ in names], [name for _, name in names], fontsize=8, parse_math=False)
    for label, (_, name) in zip(axes.get_yticklabels(), names, strict=True):
        label.set_fontweight("bold" if name in TITLES else "normal")
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_xlim(-8, 26)
    axes.set_ylim(len(names) - 0.5, -0.7)
    axes.set_xlabel(
        "points of mIoU above the table's baseline: mean over seeds with its 95 % interval, a stroke a seed; "
        "x: the paper, on its own task",
        fontsize=8,
    )
    _plain(axes)
    return figure


def cost(record: Record) -> Figure:
    """The mIoU of every network over its multiply-adds."""
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    axes = figure.subplots()
    labelled = {**{name: name for name in OWN}, **MIXES}
    seen: set[str] = set()
    names: list[tuple[str, float, float]] = []
    for network in record.networks.values():
        score = network.score()
        if score is None:
            continue
        group = _group(network.name)
        title, color, mark = GROUPS[group]
        axes.errorbar(
            network.multiply_adds,
            score.value,
            yerr=score.half if network.seeds > 2 else None,
            fmt=mark,
            color=color,
            markersize=6,
            capsize=2,
            linewidth=1,
            label=None if group in seen else title,
        )
        seen.add(group)
        if network.name in labelled or network.name.endswith(("baseline", "-sum")):
            text = labelled.get(network.name, network.name).replace("-small", "")
            names.append((text, network.multiply_adds, score.value))
    axes.set_xscale("log")
    ticks = (0.3, 0.4, 0.5, 0.7, 1.0, 1.5)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("multiply-adds for a scene of 160 x 384, G")
    axes.set_ylabel("mIoU, %: mean, and its 95 % interval where there are three seeds")
    if seen:
        axes.legend(fontsize=8, frameon=False, loc="lower right")
    _plain(axes)
    _name_points(axes, names)
    return figure


def claims() -> Figure:
    """Of each statement, how many doublings lie between its two numbers, by seed; to the right is as the paper says."""
    record = read("claims")
    figure = Figure(figsize=(9, 0.42 * len(STATEMENTS) + 1), layout="constrained")
    axes = figure.subplots()
    for place, statement in enumerate(STATEMENTS):
        for kind, shift in (("trained", -0.12), ("untrained", 0.16)):
            for seed, pair in pairs_of(record, statement, kind).items():
                doublings, error = _doublings(pair, more=statement.more)
                drawn = {"color": "#0072b2"} if kind == "trained" else {"color": GREY, "markerfacecolor": "white"}
                where = place + shift + 0.06 * (seed - 1)
                axes.errorbar(doublings, where, xerr=2 * error, fmt="osD"[seed], markersize=5, linewidth=1, **drawn)
    names = [f"{one.text}\n{one.network}" for one in STATEMENTS]
    axes.set_yticks(range(len(names)), names, fontsize=7, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(LEAST - 0.3, -LEAST + 0.3)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_xlabel("doublings; right of 0 is as said", fontsize=8)
    figure.suptitle(
        "What was measured over what it is held against. Filled: trained; white: untrained. A mark a seed, with two standard "
        "errors over pictures",
        fontsize=8,
    )
    _plain(axes)
    return figure


def _doublings(pair: Pair, *, more: bool) -> tuple[float, float]:
    """The logarithm of the ratio, positive where it is as said, within the axis; and its standard error to first order."""
    if pair.log_ratio is None:
        larger = pair.value > pair.other
        return (-LEAST if larger == more else LEAST), 0.0
    relative = math.hypot(pair.error / pair.value, pair.other_error / pair.other) / math.log(2)
    value = pair.log_ratio if more else -pair.log_ratio
    return min(max(value, LEAST), -LEAST), relative


def _name_points(axes: Axes, names: Sequence[tuple[str, float, float]]) -> None:
    """Write names (text, x, y) beside points, each where it covers nothing and stays inside, if there is such a place."""
    axes.figure.draw_without_rendering()  # type: ignore[union-attr] # the axes are in a figure
    points = axes.transData.transform([(x, y) for _, x, y in names])
    taken = [Bbox.from_bounds(x - MARK, y - MARK, 2 * MARK, 2 * MARK) for x, y in points]
    for text, x, y in sorted(names, key=lambda one: -one[2]):
        for across, up in PLACES:
            note = axes.annotate(
                text,
                (x, y),
                (across, up),
                textcoords="offset points",
                ha="left" if across > 0 else "right",
                va="center",
                fontsize=7,
                parse_math=False,
            )
            box = note.get_window_extent()
            inside = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
            if inside and not any(box.overlaps(other) for other in taken):
                break
            note.remove()
        else:
            note = axes.annotate(text, (x, y), PLACES[0], textcoords="offset points", fontsize=7, parse_math=False)
            box = note.get_window_extent()
        taken.append(box)


def _group(name: str) -> str:
    return "mix" if name in MIXES else name.partition("-")[0]


def _plain(axes: Axes) -> None:
    axes.grid(axis="both", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _digest(record: str) -> str:
    files = (
        RESULTS / f"{record}.json",
        *(Path(__file__).with_name(f"results_{one}.py") for one in ("plots", "claims", "camvid")),
    )
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _drawn_from(file: Path) -> str | None:
    if not file.exists():
        return None
    with Image.open(file) as picture:
        return picture.info.get("Comment")


if __name__ == "__main__":
    draw()
