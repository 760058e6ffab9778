"""All that attention says of one pixel, in a panel a map: what ``Result.show(at=(x, y))`` shows."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from attseg.data.fonts import class_label, font_families
from attseg.explain.capture import AttentionMap
from attseg.explain.figures import panels
from attseg.explain.figures.seen import Floats, Seen
from attseg.explain.looked import Looked, check_pixel
from attseg.explain.passes import scale_names
from attseg.explain.pixel import PixelAttention, to_numpy
from attseg.explain.titles import map_titles

COLUMNS = 3

MOST_BARS = 8
"""Classes that are named, those with the largest weights."""


def at_pixel(seen: Seen, x: int, y: int) -> Figure:
    """Attention of a pixel in every map.

    Pairwise attention is a map of where the pixel looks; a spatial map is drawn whole, with its value at the pixel; weights of
    scales and classes are bars, and those of channels, equal at all pixels, a curve.

    Args:
        seen: What a model made of a picture, such as a ``Result``.
        x: Column, from the left.
        y: Row, from the top.

    Raises:
        UsageError: There is no such pixel.
    """
    height, width = seen.labels.shape
    check_pixel(x, y, (height, width))
    rows, columns = shape_of(seen)
    figure = panels.sheet(rows, columns, seen.image, bars=columns, extra=0.4)
    draw_pixel(figure, seen, x, y)
    return figure


def shape_of(seen: Seen) -> tuple[int, int]:
    """Rows and columns of panels: the picture, the prediction, and one for each map."""
    return -(-(2 + len(seen.looked.found)) // COLUMNS), COLUMNS


def draw_pixel(figure: Figure | SubFigure, seen: Seen, x: int, y: int) -> None:
    """Draw the same into a figure that is there already."""
    read = seen.looked.at(x, y)
    places = list(figure.subplots(*shape_of(seen), squeeze=False).flat)
    panels.show_picture(places[0], seen)
    index = int(seen.labels[y, x])
    panels.show_prediction(places[1], seen, class_label(seen.classes.names[index], index))
    for axes in places[:2]:
        panels.mark_point(axes, x, y, 0)
    titles = map_titles(seen.looked)
    for axes, one, whole in zip(places[2:], read, seen.looked.found, strict=False):
        _draw(figure, axes, seen, one, whole if isinstance(whole, AttentionMap) else None, titles[one.name])
        if one.kind in ("pairwise", "spatial"):
            panels.mark_point(axes, x, y, 0)
    for axes in places[2 + len(read) :]:
        axes.set_axis_off()


def _draw(
    figure: Figure | SubFigure, axes: Axes, seen: Seen, one: PixelAttention, whole: AttentionMap | None, title: str
) -> None:
    if one.kind == "pairwise":
        drawn = panels.show_map(axes, seen, one.values * one.values.size, title)
        panels.color_bar(figure, drawn, axes, "weight (1: all equal)")
    elif one.kind == "spatial" and whole is not None:
        drawn = panels.show_map(axes, seen, to_numpy(whole.weights[0].mean(0)), f"{title}: {one.values.mean():.2f}")
        panels.color_bar(figure, drawn, axes, "value")
    elif one.kind in ("channel", "channel-pairs"):
        axes.plot(one.values, color=panels.COLORS[1], linewidth=0.8)
        axes.set_xlabel("channel")
        _finish(axes, title)
    else:
        names, values = _named(seen.looked, seen, one)
        axes.barh(range(len(names)), values, color=panels.COLORS[1])
        axes.set_yticks(range(len(names)), names, fontfamily=font_families(*names), parse_math=False)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        _finish(axes, title)


def _named(looked: Looked, seen: Seen, one: PixelAttention) -> tuple[list[str], Floats]:
    if one.kind == "scale":
        return scale_names(looked.model, len(one.values)), one.values
    order = np.argsort(-one.values, kind="stable")[:MOST_BARS]
    return [class_label(seen.classes.names[index], int(index)) for index in order], one.values[order]


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=panels.SMALL + 1, parse_math=False)
    panels.plain(axes)
