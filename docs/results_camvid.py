"""The tables of CamVid at equal wall time, from ``camvid.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from results_numbers import mean_of

PROTOCOLS = {"single": "once", "single-flip": "mirrored too", "csail-5scale": "five scales"}


def scores(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: a network by each protocol, the best under the first one above."""
    headings = ["network", *PROTOCOLS.values(), "over pictures", "contours, F", "M", "G", "steps", "seeds"]
    rows = []
    for name, network in _ranked(record):
        runs = network["runs"]
        first = [run["protocols"]["single"] for run in runs]
        means = [
            mean_of(run["protocols"][protocol]["miou"] for run in runs if protocol in run["protocols"])
            for protocol in PROTOCOLS
        ]
        contours = mean_of(one["boundary_f"] for one in first)
        rows.append(
            [
                name,
                *("" if mean is None else mean.text() for mean in means),
                "; ".join(f"{one['low']:.1f} to {one['high']:.1f}" for one in first),
                "" if contours is None else contours.text(),
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


def _ranked(record: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    def miou(pair: tuple[str, Mapping[str, Any]]) -> float:
        mean = mean_of(run["protocols"]["single"]["miou"] for run in pair[1]["runs"])
        return 0.0 if mean is None else -mean.value

    return sorted(record["networks"].items(), key=miou)
