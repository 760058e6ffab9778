"""The tables and the plot of CamVid at equal wall time, from ``camvid.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from results_numbers import mean_of

PROTOCOLS = {"single": "once", "single-flip": "mirrored too", "csail-5scale": "five scales"}
MARKS = {"single": "o", "single-flip": "|", "csail-5scale": "D"}
COLORS = ("#0072b2", "#d55e00")
"""By encoder, in the order of their names."""

BASE, MIX = "fcn", "mix-global-gau"
"""The network without attention, and the best mix: every other is set against them."""


def scores(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: a network by each protocol, the best under the first one above."""
    headings = ["network", *PROTOCOLS.values(), "over pictures", "contours, F", "on train", "M", "G", "steps", "seeds"]
    rows = []
    for name, network in _ranked(record):
        runs = network["runs"]
        first = [run["protocols"]["single"] for run in runs]
        means = [
            mean_of(run["protocols"][protocol]["miou"] for run in runs if protocol in run["protocols"])
            for protocol in PROTOCOLS
        ]
        contours = mean_of(one["boundary_f"] for one in first)
        seen = mean_of(run["on_train"] for run in runs if "on_train" in run)
        rows.append(
            [
                name,
                *("" if mean is None else mean.text() for mean in means),
                "; ".join(f"{one['low']:.1f} to {one['high']:.1f}" for one in first),
                "" if contours is None else contours.text(),
                "" if seen is None else seen.text(),
                f"{network['parameters'] / 1e6:.1f}",
                f"{network['multiply_adds'] / 1e9:.1f}",
                "; ".join(str(run["steps"]) for run in runs),
                str(len(runs)),
            ]
        )
    return headings, rows


def classes(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: the IoU of each class, seen once, mean over seeds."""
    names: list[str] = []
    rows = []
    for name, network in _ranked(record):
        found = [run["protocols"]["single"]["per_class"] for run in network["runs"]]
        names = names or list(found[0])
        means = [mean_of(one[label] for one in found if one[label] is not None) for label in names]
        rows.append([name, *("" if mean is None else f"{mean.value:.1f}" for mean in means)])
    return ["network", *names], rows


def gains(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: how far a network is above ``BASE`` on its encoder, and below ``MIX``, over seeds and over pictures."""
    rows = []
    for name, _ in _ranked(record):
        network, _, encoder = name.partition("/")
        if network == BASE:
            continue
        pairs = [(name, f"{BASE}/{encoder}"), (f"{MIX}/{encoder}", name)]
        cells = [cell for pair in pairs for cell in _difference(record, *pair)]
        if any(cells):
            rows.append([name, *cells])
    headings = [f"above {BASE}", "over pictures", "seeds", f"{MIX} above it", "over pictures", "seeds"]
    return ["network", *headings], rows


def plot(record: Mapping[str, Any]) -> Figure:
    """The mIoU of every run by each protocol, the best network above."""
    ranked = _ranked(record)
    figure = Figure(figsize=(9, 0.34 * len(ranked) + 1.2), layout="constrained")
    axes = figure.subplots()
    encoders = sorted({name.partition("/")[2] for name, _ in ranked})
    seen: set[str] = set()
    for place, (name, network) in enumerate(ranked):
        encoder = name.partition("/")[2]
        color = COLORS[encoders.index(encoder) % len(COLORS)]
        for run in network["runs"]:
            where = place + 0.24 * (run["seed"] - (len(network["runs"]) - 1) / 2)
            for protocol, report in run["protocols"].items():
                first = protocol == "single"
                label = f"{encoder}, {PROTOCOLS[protocol]}"
                axes.errorbar(
                    report["miou"],
                    where,
                    xerr=[[report["miou"] - report["low"]], [report["high"] - report["miou"]]] if first else None,
                    fmt=MARKS[protocol],
                    color=color,
                    markerfacecolor=color if first else "white",
                    markersize=5,
                    linewidth=1,
                    label=None if label in seen else label,
                )
                seen.add(label)
    axes.set_yticks(range(len(ranked)), [name for name, _ in ranked], fontsize=8)
    axes.set_ylim(len(ranked) - 0.5, -0.5)
    axes.set_xlabel(
        "mIoU on val, %: a row of marks a seed; the line is the 95 % interval over blocks of ten frames", fontsize=8
    )
    if seen:
        axes.legend(fontsize=7, frameon=False)
    axes.grid(axis="both", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _difference(record: Mapping[str, Any], one: str, other: str) -> tuple[str, str, str]:
    """For cells of a table: over seeds, over pictures, and how many seeds; empty where there is none."""
    pictures = record["over_pictures"].get(f"{one} - {other}")
    if pictures is None:
        return "", "", ""
    first, second = (_by_seed(record["networks"][name]) for name in (one, other))
    gain = mean_of(first[seed] - second[seed] for seed in pictures["seeds"])
    assert gain is not None
    return gain.text(sign=True), f"{pictures['low']:+.1f} to {pictures['high']:+.1f}", str(gain.count)


def _by_seed(network: Mapping[str, Any]) -> dict[int, float]:
    return {run["seed"]: run["protocols"]["single"]["miou"] for run in network["runs"]}


def _ranked(record: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    def miou(pair: tuple[str, Mapping[str, Any]]) -> float:
        mean = mean_of(run["protocols"]["single"]["miou"] for run in pair[1]["runs"])
        return 0.0 if mean is None else -mean.value

    return sorted(record["networks"].items(), key=miou)
