"""PSANet (Zhao et al., ECCV 2018), figure 6: where two points collect from, and whom they distribute to."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from attseg.errors import UsageError
from attseg.explain.figures import panels
from attseg.explain.figures.seen import Seen, missing
from attseg.explain.looked import Pairs, check_pixel
from attseg.explain.pixel import cell_of

MOST_POINTS = len(panels.MARKS)
"""Points that marks can tell apart."""

MEANING = {"collect": "where {} collects from", "distribute": "whom {} distributes to"}


def psanet_6(seen: Seen, points: Sequence[tuple[int, int]] = ()) -> Figure:
    """The maps of points, one row a point.

    A weight of 1 is what a point would have if all were equal; the colours of each map go from 0 to its own largest weight. Below
    each map stands how much of its mass lies on the point itself, of which the paper says that it is little.

    Args:
        seen: What a model made of a picture, such as a ``Result``.
        points: (x, y) of each in pixels; without any, one in the upper and one in the lower half.

    Raises:
        UsageError: The model weighs no pairs of positions, a point outside the picture, or more than can be told apart.

    Source:
        Section 4.5, figure 6.
    """
    pairs = seen.looked.pairs
    if not pairs:
        raise missing(seen, "attention between positions", "a PSANet, or an FCN with context='psa' or 'nonlocal'")
    height, width = seen.labels.shape
    points = points or [(width // 2, height // 4), (width // 2, 3 * height // 4)]
    if len(points) > MOST_POINTS:
        raise UsageError(f"{len(points)} points were given; at most {MOST_POINTS} can be told apart in one figure")
    for x, y in points:
        check_pixel(x, y, (height, width))
    figure = panels.sheet(len(points), 1 + len(pairs), seen.image, bars=len(pairs), extra=0.3 + 0.15 * len(points))
    places = figure.subplots(len(points), 1 + len(pairs), squeeze=False)
    maps = [one.at(points) for one in pairs]
    for row, (x, y) in enumerate(points):
        left = places[row, 0]
        if row % 2 == 0:
            panels.show_picture(left, seen)
        else:
            panels.show_prediction(left, seen)
        for place, point in enumerate(points):
            panels.mark_point(left, *point, place)
        for axes, one, values in zip(places[row, 1:], pairs, maps, strict=True):
            mine = values[row]
            drawn = panels.show_map(axes, seen, mine * mine.size, _title(one, row, len(pairs)))
            panels.mark_point(axes, x, y, row)
            panels.color_bar(figure, drawn, axes, "weight (1: all equal)")
            cell = cell_of(x, y, seen.looked.size, one.cells)
            axes.text(
                0.5,
                -0.02,
                f"on the point itself: {_percent(mine[cell] / mine.sum())} (all equal: {_percent(1 / mine.size)})",
                transform=axes.transAxes,
                ha="center",
                va="top",
                fontsize=panels.SMALL - 1,
            )
    panels.name_classes(figure, seen)
    return figure


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _title(one: Pairs, row: int, count: int) -> str:
    title = MEANING[one.direction].format(row + 1)
    _, at, scale = one.name.partition(" at ")
    return f"{title}, scale {scale}" if at else title
