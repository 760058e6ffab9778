"""Plots of the meters: mIoU around boundaries, and accuracy over confidence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attseg.evaluation.plots import BLUE, GREY, ORANGE, save_figure, unbox


def draw_trimap(found: Mapping[str, Any], miou: float, out: Path) -> None:
    """Draw the mIoU of bands around label boundaries over their width, and that of all pixels as a line.

    Args:
        found: What ``BoundaryMeter`` found.
        miou: Of all pixels.
        out: Where the PNG goes.
    """
    from matplotlib.figure import Figure

    bands = [band for band in found["trimap"] if band["miou"] is not None]
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([band["width"] for band in bands], [100 * band["miou"] for band in bands], "o-", color=BLUE, linewidth=2)
    axes.axhline(100 * miou, color=ORANGE, linestyle="--", linewidth=1.5)
    axes.set_xscale("log", base=2)
    widths = [band["width"] for band in found["trimap"]]
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.set_xlabel("pixels to either side of a boundary")
    axes.set_ylabel("mIoU (%)")
    axes.set_title("dashed: all pixels", loc="right", fontsize=10)
    unbox(axes)
    save_figure(figure, out)


def draw_reliability(found: Mapping[str, Any], out: Path) -> None:
    """Draw accuracy over confidence, with the share of pixels of each bin below.

    Args:
        found: What ``CalibrationMeter`` found.
        out: Where the PNG goes.
    """
    from matplotlib.figure import Figure

    bins = [one for one in found["bins"] if one["pixels"]]
    total = sum(one["pixels"] for one in bins)
    middles = [50 * (one["above"] + one["up_to"]) for one in bins]
    width = 100 / len(found["bins"])
    figure = Figure(figsize=(5.4, 6), layout="constrained")
    accuracy, share = figure.subplots(2, sharex=True, height_ratios=(4, 1))
    accuracy.bar(middles, [100 * one["accuracy"] for one in bins], width=0.92 * width, color=BLUE)
    accuracy.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1.5)
    accuracy.plot(
        [100 * one["confidence"] for one in bins],
        [100 * one["accuracy"] for one in bins],
        "o",
        color=ORANGE,
        markersize=5,
    )
    accuracy.set_xlim(0, 100)
    accuracy.set_ylim(0, 100)
    accuracy.set_ylabel("right pixels (%)")
    if found["ece"] is not None:
        accuracy.set_title(f"expected calibration error {100 * found['ece']:.2f} %", loc="right", fontsize=10)
    share.bar(middles, [100 * one["pixels"] / max(total, 1) for one in bins], width=0.92 * width, color=GREY)
    share.set_ylabel("pixels (%)")
    share.set_xlabel("confidence (%)")
    for axes in (accuracy, share):
        unbox(axes)
    save_figure(figure, out)
