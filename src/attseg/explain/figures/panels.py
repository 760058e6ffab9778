"""Panels that figures are made of: images, maps with class borders, bars by class, curves over channels.

Colours are those of Okabe and Ito, and maps go from dark to bright, so that nobody needs to see red or green; where colours tell
things apart, so do dashes or marks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from PIL import Image

from attseg.data import paint
from attseg.data.fonts import class_label, font_families
from attseg.data.sample import Array
from attseg.explain.figures.seen import Floats, Seen, present
from attseg.files import replacing

COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", ":", "-.")
HEAT = "inferno"

PANEL = 2.9
"""Width of a picture, in inches."""

WIDEST = 12.0
"""Width of a row of pictures, in inches, from which on they are drawn smaller."""

LONGEST = 1000
"""Longest side, in pixels, at which pictures are drawn."""

MOST_CLASSES = 12
"""Classes that a legend names."""

MOST_LISTED = 24
"""Classes that the legend of a figure of several models names."""

SMALL = 8
"""Size of the letters, in points."""


def sheet(rows: int, columns: int, image: Array, *, bars: int = 1, extra: float = 0.0) -> Figure:
    """A figure for rows and columns of pictures of one shape, ``bars`` of colours in a row, and ``extra`` inches more height."""
    height, width = image.shape[:2]
    wide = min(PANEL, WIDEST / columns)
    panel = wide * min(max(height / width, 0.3), 2.5)
    return Figure(figsize=(wide * columns + 0.6 * bars, (panel + 0.3) * rows + extra), layout="constrained")


def show_picture(axes: Axes, seen: Seen, title: str = "picture") -> None:
    """The picture."""
    _show(axes, seen, _smaller(seen.image))
    _name(axes, title)


def show_prediction(axes: Axes, seen: Seen, title: str = "prediction") -> None:
    """The picture under the colours of its classes."""
    _show(axes, seen, paint.overlay(_smaller(seen.image), _smaller(seen.labels), seen.classes, 0.6))
    _name(axes, title)


def show_changes(axes: Axes, seen: Seen, labels: Array, title: str) -> None:
    """The picture in grey, and over it the colours of other labels where they differ from the prediction."""
    grey = np.repeat(seen.image.mean(2, keepdims=True) * 0.6, 3, 2).astype(np.uint8)
    changed = (labels != seen.labels)[..., None]
    _show(axes, seen, _smaller(np.where(changed, paint.colorize(labels, seen.classes), grey)))
    _name(axes, title)


def show_truth(axes: Axes, seen: Seen) -> None:
    """The picture under the colours of its labels, or of its prediction where it has none."""
    truth = getattr(seen, "truth", None)
    if truth is None:
        show_prediction(axes, seen)
        return
    _show(axes, seen, paint.overlay(_smaller(seen.image), _smaller(truth), seen.classes, 0.6))
    _name(axes, "labels")


def show_map(
    axes: Axes,
    seen: Seen,
    values: Floats,
    title: str,
    *,
    low: float = 0.0,
    high: float | None = None,
    colors: str = HEAT,
) -> AxesImage:
    """A map (h, w) from ``low`` to ``high`` or its largest value, cell by cell as computed, with borders of predicted classes."""
    top = float(values.max()) if high is None else high
    height, width = seen.looked.size
    drawn = axes.imshow(
        values, colors, vmin=low, vmax=top or 1, extent=(0, width, height, 0), interpolation="nearest", aspect="equal"
    )
    _show(axes, seen, _borders(seen))
    _name(axes, title)
    return drawn


def color_bar(figure: Figure | SubFigure, drawn: AxesImage, axes: Axes, label: str) -> None:
    """Colour bar to the right of a map; for several maps with one scale, at the last."""
    bar = figure.colorbar(drawn, cax=axes.inset_axes((1.02, 0, 0.04, 1)))
    bar.set_label(label, fontsize=SMALL - 1)
    bar.ax.tick_params(labelsize=SMALL - 2)
    bar.outline.set_visible(False)


def name_classes(figure: Figure, seen: Seen, *, labelled: bool = False) -> None:
    """A legend of the predicted classes, and of the labels' where asked, below the figure, largest areas first."""
    named = present(seen, MOST_CLASSES, labelled=labelled)
    labels = [class_label(seen.classes.names[index], index) for index in named]
    patches = [
        Patch(facecolor=_color(seen, index), edgecolor="grey", label=label)
        for index, label in zip(named, labels, strict=True)
    ]
    font = {"family": font_families(*labels), "size": SMALL}
    legend = figure.legend(
        handles=patches, loc="outside lower left", ncols=min(6, len(patches)), prop=font, frameon=False
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def bars_by_class(axes: Axes, seen: Seen, classes: Sequence[int], values: Floats, names: Sequence[str]) -> None:
    """Groups of bars, one group a class; ``values`` (S, classes) of which each row has a name."""
    wide = 0.8 / len(names)
    for place, (name, row) in enumerate(zip(names, values, strict=True)):
        left = np.arange(len(classes)) + (place - (len(names) - 1) / 2) * wide
        axes.bar(
            left, row, wide, color=COLORS[place % len(COLORS)], hatch=("", "//", "..", "xx")[place % 4], label=name
        )
    labels = [class_label(seen.classes.names[index], index) for index in classes]
    family = font_families(*labels)
    axes.set_xticks(range(len(classes)), labels, rotation=30, ha="right", fontfamily=family, parse_math=False)
    plain(axes)
    if len(names) > 1:
        axes.legend(fontsize=SMALL, frameon=False, ncols=len(names), loc="lower right", bbox_to_anchor=(1, 1))


def plain(axes: Axes) -> None:
    """Axes of numbers without what distracts."""
    axes.tick_params(labelsize=SMALL)
    axes.xaxis.label.set_fontsize(SMALL)
    axes.yaxis.label.set_fontsize(SMALL)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e0e0e0", linewidth=0.8)
    axes.set_axisbelow(True)


def mark_point(axes: Axes, x: int, y: int, place: int) -> None:
    """A numbered mark at a pixel, in a colour and shape of its own."""
    axes.plot(
        x + 0.5,
        y + 0.5,
        MARKS[place % len(MARKS)],
        color=COLORS[place % len(COLORS)],
        markersize=8,
        markeredgecolor="white",
        markeredgewidth=1.5,
    )
    axes.annotate(
        str(place + 1),
        (x + 0.5, y + 0.5),
        (6, 4),
        textcoords="offset points",
        color="white",
        fontsize=SMALL,
        fontweight="bold",
        bbox={"boxstyle": "round,pad=0.15", "facecolor": COLORS[place % len(COLORS)], "edgecolor": "none"},
    )


def show_pixels(axes: Axes, pixels: Array) -> None:
    """A picture or painted labels (H, W, 3), without axes; what is written below stays."""
    axes.imshow(_smaller(pixels), interpolation="nearest", aspect="equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _show(axes: Axes, seen: Seen, pixels: Array) -> None:
    height, width = seen.labels.shape
    axes.imshow(pixels, extent=(0, width, height, 0), interpolation="nearest", aspect="equal")
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()


def _name(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=SMALL + 1, fontfamily=font_families(title), parse_math=False)


def _smaller(pixels: Array) -> Array:
    """Every so many pixels of labels, and the mean of so many of a picture, up to ``LONGEST``."""
    step = math.ceil(max(pixels.shape[:2]) / LONGEST)
    if step == 1:
        return pixels
    size = tuple(-(-side // step) for side in pixels.shape[1::-1])
    how = Image.Resampling.BOX if pixels.ndim == 3 else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(pixels).resize((size[0], size[1]), how))


def _borders(seen: Seen) -> Array:
    """Lines between predicted classes, white and half clear, on nothing."""
    labels = _smaller(seen.labels)
    lines = np.zeros((*labels.shape, 4), np.uint8)
    lines[:-1][labels[:-1] != labels[1:]] = (255, 255, 255, 130)
    lines[:, :-1][labels[:, :-1] != labels[:, 1:]] = (255, 255, 255, 130)
    return lines


def _color(seen: Seen, index: int) -> tuple[float, float, float]:
    red, green, blue = seen.classes.colors[index]
    return red / 255, green / 255, blue / 255


def write_figure(figure: Figure, out: Path) -> None:
    """Write a figure in the format that the end of the name says."""
    with replacing(out) as file:
        figure.savefig(file, format=out.suffix.lower().removeprefix("."), dpi=200)
