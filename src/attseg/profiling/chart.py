"""What a network costs and what it gives for that: mIoU over multiply-adds, of evaluated runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from attseg.checkpoint import read_weights
from attseg.errors import UsageError
from attseg.files import replacing
from attseg.profiling.subject import Subject

BLUE = "#0072b2"


@dataclass(frozen=True)
class Score:
    """What an evaluation found.

    Args:
        miou: In [0, 1].
        measured: On what, and how: data set, split and protocol.
    """

    miou: float
    measured: tuple[str, str, str]


def read_score(subject: Subject) -> Score:
    """The result of a trained network, from the report beside its weights: of ``attseg evaluate``, else of its training.

    Raises:
        UsageError: There is none, or it has no mIoU.
    """
    folder = None if subject.weights is None else subject.weights.parent
    files = [] if folder is None else [folder / "evaluation" / "report.json", folder / "report.json"]
    file = next((file for file in files if file.is_file()), None)
    if file is None or subject.weights is None:
        raise UsageError(
            f"{subject.label} has no report.json to take its mIoU from; runs have one, and `attseg evaluate RUN` writes a new one"
        )
    try:
        report = json.loads(file.read_text())
        miou, protocol = float(report["miou"]), str(report["protocol"])
        data = report if "data" in report else _trained_on(subject.weights)
        return Score(miou, (str(data["data"]), str(data["split"]), protocol))
    except (ValueError, TypeError, LookupError):
        raise UsageError(f"{file} holds no mIoU; a report of attseg was expected, of a split with labels") from None


def _trained_on(weights: Path) -> dict[str, str]:
    """The data set and the split that training evaluated on."""
    data = read_weights(weights).info["recipe"]["data"]
    return {"data": data["name"], "split": data["val"]}


def draw_tradeoff(points: Sequence[tuple[str, int, Score]], out: Path) -> None:
    """Draw one point a network.

    Args:
        points: Name, multiply-adds and score of each.
        out: Where the picture goes; its suffix, such as .png or .svg, says in what format.

    Raises:
        UsageError: The scores were not measured alike, or the format is unknown.
    """
    first, *others = points
    for name, _, score in others:
        if score.measured != first[2].measured:
            raise UsageError(
                f"{first[0]} was measured on {_said(first[2])}, and {name} on {_said(score)}; only scores of the same data set, "
                "split and protocol can be compared"
            )
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([adds / 1e9 for _, adds, _ in points], [100 * score.miou for *_, score in points], "o", color=BLUE)
    for name, adds, score in points:
        axes.annotate(
            name, (adds / 1e9, 100 * score.miou), (6, 4), textcoords="offset points", fontsize=9, parse_math=False
        )
    axes.set_xlabel("multiply-adds (G)")
    axes.set_ylabel(f"mIoU (%) on {_said(first[2])}")
    axes.margins(0.15)
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e0e0e0", linewidth=0.8)
    axes.set_axisbelow(True)
    buffer = BytesIO()
    format = out.suffix.removeprefix(".") or "png"
    if format not in figure.canvas.get_supported_filetypes():
        raise UsageError(f"the plot is to be {out.name}; a name that ends in .png, .svg or .pdf was expected")
    figure.savefig(buffer, format=format, dpi=120)
    with replacing(out) as file:
        file.write(buffer.getvalue())


def _said(score: Score) -> str:
    data, split, protocol = score.measured
    return f"{data} {split} ({protocol})"
