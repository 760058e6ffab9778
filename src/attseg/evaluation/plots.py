"""Plots of a run: curves, confusion matrix, and samples with their predictions."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageOps

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.fonts import class_label, draw_text, font_families
from attseg.data.paint import colorize, legend
from attseg.data.reading.bands import visible
from attseg.data.sample import Array
from attseg.evaluation.report import Report
from attseg.files import open_file, replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

BLUE = "#0072b2"
ORANGE = "#d55e00"
GREY = "#767676"
CELL = 360  # pixels of a picture in samples.png, at most, either way
GAP = 8
LONGEST_NAME = 28


def draw_curves(metrics_csv: Path, out: Path) -> None:
    """Draw loss, validation loss, learning rate and mIoU over the steps.

    Args:
        metrics_csv: Table with the columns ``step``, ``loss``, ``lr``, ``miou`` (0..1), and maybe
            ``val_loss``; empty where not measured.
        out: Where the PNG goes.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with open_file(metrics_csv, "r", newline="") as file:
        rows = list(csv.DictReader(file))
    losses, rates, mious = (_column(rows, name) for name in ("loss", "lr", "miou"))

    figure = Figure(figsize=(8, 6.4), layout="constrained")
    loss, rate, miou = figure.subplots(3, sharex=True, height_ratios=(4, 1.5, 4))
    loss.plot(*losses, color=BLUE, alpha=0.3, linewidth=1)
    loss.plot(losses[0], _smooth(losses[1]), color=BLUE, linewidth=2)
    loss.set_ylabel("loss")
    if (validation := _column(rows, "val_loss")).size:
        loss.plot(*validation, "o-", color=ORANGE, linewidth=2, markersize=4, label="validation (cross-entropy)")
        loss.legend(frameon=False, fontsize=10)
    rate.plot(*rates, color=GREY, linewidth=2)
    rate.set_ylabel("learning rate")
    rate.set_ylim(bottom=0)
    miou.plot(mious[0], 100 * mious[1], "o-", color=ORANGE, linewidth=2, markersize=4)
    miou.set_ylabel("mIoU (%)")
    miou.set_ylim(bottom=0)
    miou.set_xlabel("step")
    miou.xaxis.set_major_locator(MaxNLocator(integer=True))
    if mious.size:
        step, best = mious[:, mious[1].argmax()]
        miou.set_title(f"best {100 * best:.2f} % at step {step:.0f}", loc="right", fontsize=10)
    for axes in (loss, rate, miou):
        unbox(axes)
    figure.align_ylabels()
    save_figure(figure, out)


def draw_confusion(report: Report, out: Path) -> None:
    """Draw the confusion matrix, each row as shares of that class's labels, with the IoU of every class beside it.

    Args:
        report: What an evaluation found.
        out: Where the PNG goes.
    """
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure

    count = len(report.classes)
    labels = [class_label(name, index) for index, name in enumerate(report.classes.names)]
    names = [label if len(label) <= LONGEST_NAME else label[: LONGEST_NAME - 1] + "…" for label in labels]
    family = font_families(*names)
    with np.errstate(invalid="ignore"):
        percent: Floats = 100 * report.counts / report.counts.sum(1, keepdims=True)  # nan where a class has no labels

    cell = min(1.1, max(0.17, 7 / count))  # inches
    side, bars = count * cell, 2.6
    font = min(10, max(6.5, 72 * cell * 0.4))
    figure = Figure(figsize=(side + bars, side))
    matrix = figure.add_axes((0, 0, side / (side + bars), 1))
    beside = figure.add_axes(((side + 0.15) / (side + bars), 0, (bars - 0.15) / (side + bars), 1), sharey=matrix)

    matrix.set_facecolor("#e0e0e0")
    matrix.imshow(percent, cmap="Blues", norm=PowerNorm(0.5, 0, 100), aspect="auto")
    matrix.set_xticks(range(count), names, rotation=90, fontsize=font, fontfamily=family, parse_math=False)
    matrix.set_yticks(range(count), names, fontsize=font, fontfamily=family, parse_math=False)
    matrix.set_xlabel("predicted (% of the labels of the row)")
    matrix.set_ylabel("labelled")
    matrix.tick_params(length=0)
    _number_cells(matrix, percent, 72 * cell * 0.32)
    _draw_iou(beside, report, font)
    figure.suptitle(
        f"mIoU {100 * report.miou:.2f} %   pixel accuracy {100 * report.pixel_accuracy:.2f} %   "
        f"{report.pictures} pictures, {report.protocol.name}",
        x=0,
        y=1 + 0.15 / side,
        ha="left",
        va="bottom",
        fontsize=11,
    )
    save_figure(figure, out)


def draw_samples(
    rows: Sequence[tuple[Array, ...]],
    classes: ClassTable,
    out: Path,
    *,
    headings: Sequence[str] = ("image", "labels", "prediction"),
    captions: Sequence[str] = (),
    errors: bool = False,
) -> None:
    """Draw samples below each other into a PNG, as ``samples_page`` does."""
    save_png(samples_page(rows, classes, headings=headings, captions=captions, errors=errors), out)


def samples_page(
    rows: Sequence[tuple[Array, ...]],
    classes: ClassTable,
    *,
    headings: Sequence[str] = ("image", "labels", "prediction"),
    captions: Sequence[str] = (),
    errors: bool = False,
) -> Image.Image:
    """Samples below each other: image, labels, predictions; and a legend of the classes that occur.

    Args:
        rows: Image (H, W, C), labels (H, W) and predictions (H, W) of each sample; sizes may differ between samples.
        classes: Names and colours.
        headings: What stands above each column.
        captions: What stands above each sample, if anything does.
        errors: Whether a last column shows in red where the first prediction is wrong, over the image in pale grey.
    """
    strips = []
    for image, *maps in rows:
        painted = [colorize(labels, classes) for labels in maps]
        strips.append(_strip(image, *painted, *([_wrong(image, maps[0], maps[1])] if errors else [])))
    headings = (*headings, "errors") if errors else headings
    present = sorted({int(label) for _, *maps in rows for labels in maps for label in np.unique(labels)})
    width = len(headings) * (CELL + GAP) + GAP
    if captions:
        lines = [_line([caption], width) for caption in captions]
        strips = [part for pair in zip(lines, strips, strict=True) for part in pair]
    parts = [_line(headings, width), *strips, legend(classes, present, width)]
    page = Image.new("RGB", (width, sum(part.height for part in parts)), "white")
    top = 0
    for part in parts:
        page.paste(part, (0, top))
        top += part.height
    return page


def _wrong(image: Array, labels: Array, prediction: Array) -> Array:
    """(H, W, 3) The image in pale grey, wrong pixels in red, and ignored ones in black."""
    grey = 128 + image.mean(axis=2, keepdims=True).astype(np.uint8) // 2
    page = np.repeat(grey, 3, axis=2)
    page[labels != prediction] = (220, 30, 30)
    page[labels == IGNORE] = 0
    return page


def save_png(picture: Image.Image, out: Path) -> None:
    """Write a PNG as a whole or not at all."""
    with replacing(out) as file:
        picture.save(file, "PNG", optimize=True)


def _column(rows: Sequence[Mapping[str, str]], name: str) -> Floats:
    """(2, n) Steps and values where there are any."""
    return np.array([(float(row["step"]), float(row[name])) for row in rows if row.get(name)]).reshape(-1, 2).T


def _smooth(values: Floats) -> Floats:
    """Running mean over a fiftieth of the values to either side, less at the ends."""
    reach = len(values) // 50
    sums = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(len(values))
    first, last = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)


def _number_cells(axes: Axes, percent: Floats, font: float) -> None:
    """Write the percents into the cells, where they can be read and are not nothing."""
    if font < 5:
        return
    for row, column in zip(*np.nonzero(percent >= 0.5), strict=True):
        value = percent[row, column]
        color = "white" if value > 40 else "black"
        axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=color, fontsize=min(font, 10))


def _draw_iou(axes: Axes, report: Report, font: float) -> None:
    percent = 100 * report.iou
    axes.barh(range(len(percent)), np.nan_to_num(percent), color=BLUE, height=0.7)
    for row, value in enumerate(percent):
        text, color = ("absent", GREY) if np.isnan(value) else (f"{value:.1f}", "black")
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # hides the line of the mean behind the number
        axes.text(np.nan_to_num(value) + 1.5, row, text, va="center", color=color, fontsize=font, bbox=paper)
    axes.axvline(100 * report.miou, color=ORANGE, linestyle="--", linewidth=1.5)
    axes.set_xlim(0, 115)
    axes.set_xticks((0, 50, 100))
    axes.set_xlabel("IoU (%), dashed: mean")
    axes.tick_params(labelleft=False, left=False)
    unbox(axes)


def unbox(axes: Axes) -> None:
    """Take away the lines above and to the right, and put a pale grid behind."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both" if axes.get_ylabel() else "x", color="#e0e0e0", linewidth=0.8)
    axes.set_axisbelow(True)


def _strip(image: Array, *painted: Array) -> Image.Image:
    """Pictures of one size beside each other; painted labels keep their colours."""
    fitted = [ImageOps.contain(Image.fromarray(visible(image)), (CELL, CELL), Image.Resampling.BICUBIC)]
    fitted += [ImageOps.contain(Image.fromarray(each), (CELL, CELL), Image.Resampling.NEAREST) for each in painted]
    strip = Image.new("RGB", (len(fitted) * (CELL + GAP) + GAP, fitted[0].height + GAP), "white")
    for place, picture in enumerate(fitted):
        strip.paste(picture, (GAP + place * (CELL + GAP), 0))
    return strip


def _line(texts: Sequence[str], width: int) -> Image.Image:
    """Texts above the columns that they belong to."""
    page = Image.new("RGB", (width, 32), "white")
    draw = ImageDraw.Draw(page)
    for place, text in enumerate(texts):
        draw_text(draw, GAP + place * (CELL + GAP), 16, text, 16)
    return page


def save_figure(figure: Figure, out: Path) -> None:
    """Write a figure as a PNG."""
    buffer = BytesIO()
    figure.savefig(buffer, dpi=100, bbox_inches="tight", pad_inches=0.15)
    save_png(Image.open(buffer), out)
