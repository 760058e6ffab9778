"""Plot of mIoU over multiply-adds of evaluated runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from attseg.checkpoint import read_weights
from attseg.errors import UsageError
from attseg.files import read_text, replacing
from attseg.profiling.subject import Subject

BLUE = "#0072b2"


@dataclass(frozen=True)
class Score:
    """Point of the plot: the result of an evaluation.

    Args:
        miou: In [0, 1].
        data: Name of the data set.
        split: Which part of it.
        protocol: How each picture was seen, as plain values.
    """

    miou: float
    data: str
    split: str
    protocol: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.data} {self.split} ({self.protocol['name']})"


def read_score(subject: Subject) -> Score:
    """The result of a trained network, from the report beside its weights: of ``attseg evaluate``, else of its training.

    A report in ``evaluation`` that was measured on other data than those of the run is passed over.

    Raises:
        UsageError: There is none, or it has no mIoU.
    """
    folder = None if subject.weights is None else subject.weights.parent
    files = [] if folder is None else [folder / "evaluation" / "report.json", folder / "report.json"]
    file = next((file for file in files if file.exists() and not _is_of_other_data(file, files[-1])), None)
    if file is None or subject.weights is None:
        raise UsageError(
            f"{subject.label} has no report.json to take its mIoU from; runs have one, and `attseg evaluate RUN` writes a new one"
        )
    try:
        report = json.loads(read_text(file))
        origin = report if "data" in report else _trained_on(subject.weights)
        protocol = dict(report["protocol"], name=str(report["protocol"]["name"]))
        return Score(float(report["miou"]), str(origin["data"]), str(origin["split"]), protocol)
    except (ValueError, TypeError, LookupError):
        raise UsageError(f"{file} holds no mIoU; a report of attseg was expected, of a split with labels") from None


def _is_of_other_data(file: Path, own: Path) -> bool:
    """Whether a report and that of the run's training are known to be of different data."""
    try:
        found, trained = (json.loads(read_text(path)) for path in (file, own))
        return any(found[name] != trained[name] for name in ("data", "root", "options", "split"))
    except (OSError, ValueError, TypeError, LookupError):  # attseg 0.1.0 did not note them
        return False


def _trained_on(weights: Path) -> dict[str, str]:
    """The data set and the split that training evaluated on."""
    data = read_weights(weights).info["recipe"]["data"]
    return {"data": data["name"], "split": data["val"]}


def draw_tradeoff(points: Sequence[tuple[str, int, Score]], size: tuple[int, int], out: Path) -> None:
    """Draw one point a network.

    Args:
        points: Name, multiply-adds and score of each.
        size: Height and width of the picture that the multiply-adds are for.
        out: Where the picture goes; its suffix, such as .png or .svg, says in what format.

    Raises:
        UsageError: The scores were not measured alike, or the format is unknown.
    """
    name, _, found = points[0]
    for other, _, score in points[1:]:
        if (score.data, score.split, score.protocol) != (found.data, found.split, found.protocol):
            raise UsageError(
                f"{name} was measured on {found}, and {other} on {score}; only scores of the same data set, split and protocol "
                "can be compared"
            )
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([adds / 1e9 for _, adds, _ in points], [100 * score.miou for *_, score in points], "o", color=BLUE)
    for name, adds, score in points:
        place, above = (adds / 1e9, 100 * score.miou), (0, 7)
        axes.annotate(name, place, above, textcoords="offset points", ha="center", fontsize=9, parse_math=False)
    axes.set_xlabel(f"multiply-adds (G) of one pass over {size[0]} x {size[1]}")
    axes.set_ylabel(f"mIoU (%) on {found}")
    axes.margins(0.15)
    axes.set_xlim(0, 1.15 * max(adds for _, adds, _ in points) / 1e9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e0e0e0", linewidth=0.8)
    axes.set_axisbelow(True)
    format = out.suffix.removeprefix(".") or "png"
    if format not in figure.canvas.get_supported_filetypes():
        raise UsageError(f"the plot is to be {out.name}; a name that ends in .png, .svg or .pdf was expected")
    with replacing(out) as file:
        figure.savefig(file, format=format, dpi=120)
