"""Attention to Refine (Yang and Peng, 2018): which image scale is used where, and what the recalibration does to each class.

The paper prints no map of its own. It refers to those of attention-to-scale (Chen et al., CVPR 2016), whose figures show the
weight of each scale beside the picture, and says of the second branch only what it gains.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from attseg.data.fonts import class_label
from attseg.explain.figures import panels
from attseg.explain.figures.seen import Seen, find_maps, means_by_class, on_picture, present
from attseg.explain.passes import scale_names
from attseg.explain.pixel import to_numpy

CLASSES = 10
"""Classes of which there are bars."""

SHOWN = 6
"""Classes whose maps are drawn."""


def a2r_scales(seen: Seen) -> Figure:
    """The weight of each image scale at each position, and its mean over the pixels of each predicted class.

    Args:
        seen: What a model made of a picture, such as a ``Result``.

    Raises:
        UsageError: The model does not weigh image scales.

    Source:
        Sections 2.1 and 3, equation 2; in the manner of figure 4 of Chen et al., Attention to Scale, CVPR 2016.
    """
    maps = find_maps(
        seen,
        "weights of image scales",
        ("location", "attention-to-scale"),
        "an AttentionToRefine with merge='location' or merge='attention'",
    )
    weights = maps[0].weights[0]
    names = scale_names(seen.looked.model, len(weights))
    figure = panels.sheet(1, 2 + len(weights), seen.image, extra=2.3)
    grid = figure.add_gridspec(2, 2 + len(weights), height_ratios=(1.6, 1))
    tops = [figure.add_subplot(grid[0, place]) for place in range(2 + len(weights))]
    panels.show_picture(tops[0], seen)
    panels.show_prediction(tops[1], seen)
    for axes, name, values in zip(tops[2:], names, to_numpy(weights), strict=True):
        drawn = panels.show_map(axes, seen, values, f"scale {name} (mean {values.mean():.2f})", high=1.0)
    panels.color_bar(figure, drawn, tops[-1], "weight of the scale")
    bars = figure.add_subplot(grid[1, :])
    classes = present(seen, CLASSES)
    means = means_by_class(on_picture(weights, seen), seen.labels, classes)
    panels.bars_by_class(bars, seen, classes, means, [f"scale {name}" for name in names])
    bars.set_ylim(0, 1)
    bars.set_ylabel("mean weight")
    panels.name_classes(figure, seen)
    return figure


def a2r_recalibration(seen: Seen) -> Figure:
    """Factor or bias of the scores of each class, at each position.

    Below, the mean over the pixels that are predicted as the class, beside that over all others: a branch that raises what is
    there and lowers what is not has the first bar above the second, where scores are positive.

    Args:
        seen: What a model made of a picture, such as a ``Result``.

    Raises:
        UsageError: The model has no recalibrating branch.

    Source:
        Section 2.2, equation 3; column "extra branch" of table 2.
    """
    maps = find_maps(
        seen,
        "recalibration of classes",
        ("recalibration",),
        "an AttentionToRefine with merge='location' and a recalibration other than 'none'",
    )
    weights = maps[0].weights[0]
    classes = present(seen, CLASSES)
    shown = classes[:SHOWN]
    columns = max(4, -(-(2 + len(shown)) // 2))
    figure = panels.sheet(2, columns, seen.image, extra=2.3)
    grid = figure.add_gridspec(3, columns, height_ratios=(1.6, 1.6, 1.3))
    places = [figure.add_subplot(grid[place // columns, place % columns]) for place in range(2 + len(shown))]
    panels.show_picture(places[0], seen)
    panels.show_prediction(places[1], seen)
    values = to_numpy(weights)
    low, high = min(0.0, float(values.min())), max(1.0, float(values.max()))  # beyond 0 and 1 where a bias is added
    for axes, index in zip(places[2:], shown, strict=True):
        drawn = panels.show_map(
            axes, seen, values[index], class_label(seen.classes.names[index], index), low=low, high=high
        )
    panels.color_bar(figure, drawn, places[min(columns, len(places)) - 1], "weight of the class")
    bars = figure.add_subplot(grid[2, :])
    pixels = on_picture(weights, seen)
    inside = [pixels[index][seen.labels == index].mean() for index in classes]
    outside = [_mean(pixels[index][seen.labels != index]) for index in classes]
    means = np.array([inside, outside], np.float32)
    panels.bars_by_class(bars, seen, classes, means, ("where the class is predicted", "elsewhere"))
    bars.set_ylim(min(0.0, float(means.min())), max(1.0, float(means.max())))
    bars.set_ylabel("mean weight")
    panels.name_classes(figure, seen)
    return figure


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0
