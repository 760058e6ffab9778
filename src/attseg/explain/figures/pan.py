"""PAN (Li et al., BMVC 2018): the value that the pyramid gives each position, and the channels that global context lets through.

The paper draws both mechanisms (figures 3 and 4) and shows none of their values.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from attseg.explain.figures import panels
from attseg.explain.figures.seen import Seen, find_maps, means_by_class, on_picture, present
from attseg.explain.pixel import to_numpy
from attseg.explain.titles import map_titles

CLASSES = 10
"""Classes of which there are bars."""


def pan_fpa(seen: Seen) -> Figure:
    """The value of feature pyramid attention at each position, and its mean over the pixels of each predicted class.

    The values are not bounded: they multiply what the main branch holds. Where the pyramid has several channels, their mean is
    drawn.

    Args:
        seen: What a model made of a picture, such as a ``Result``.

    Raises:
        UsageError: The model has no pyramid.

    Source:
        Section 3.1, figure 3b.
    """
    maps = find_maps(seen, "pyramid attention", ("fpa",), "a PAN, or an FCN with context='fpa'")
    titles = map_titles(seen.looked)
    figure = panels.sheet(1, 2 + len(maps), seen.image, extra=2.3)
    grid = figure.add_gridspec(2, 2 + len(maps), height_ratios=(1.6, 1))
    places = [figure.add_subplot(grid[0, place]) for place in range(2 + len(maps))]
    panels.show_picture(places[0], seen)
    panels.show_prediction(places[1], seen)
    classes, means = present(seen, CLASSES), []
    for axes, one in zip(places[2:], maps, strict=True):
        weights = one.weights[0].mean(0, keepdim=True)
        drawn = panels.show_map(axes, seen, to_numpy(weights[0]), titles[one.name])
        channels = one.weights.shape[1]
        panels.color_bar(figure, drawn, axes, "value" if channels == 1 else f"mean value of {channels} channels")
        means.append(means_by_class(on_picture(weights, seen), seen.labels, classes)[0])
    bars = figure.add_subplot(grid[1, :])
    panels.bars_by_class(bars, seen, classes, np.stack(means), [titles[one.name] for one in maps])
    bars.set_ylabel("mean value")
    panels.name_classes(figure, seen)
    return figure


def pan_gau(seen: Seen) -> Figure:
    """The channel weights of every global attention upsample, from the deepest map to the finest.

    Args:
        seen: What a model made of a picture, such as a ``Result``.

    Raises:
        UsageError: The model has no global attention upsample, or its steps have no global context.

    Source:
        Section 3.2, figure 4.
    """
    maps = find_maps(seen, "global attention upsample", ("gau",), "a PAN, or an FCN with decoder='gau'")
    titles = map_titles(seen.looked)
    figure = Figure(figsize=(9, 1.8 * len(maps) + 0.4), layout="constrained")
    grid = figure.add_gridspec(len(maps), 2, width_ratios=(1, 2.6))
    panels.show_picture(figure.add_subplot(grid[:, 0]), seen)
    for place, one in enumerate(maps):
        axes, weights = figure.add_subplot(grid[place, 1]), to_numpy(one.weights.flatten())
        channels = np.arange(len(weights))
        axes.plot(channels, weights, color=panels.COLORS[1], linewidth=0.8, label="in the order of the channels")
        ordered = np.sort(weights)[::-1]
        axes.plot(channels, ordered, "--", color=panels.COLORS[0], linewidth=1.5, label="largest first")
        axes.set_title(
            f"{titles[one.name]} (mean {weights.mean():.2f})", fontsize=panels.SMALL + 1, loc="left", parse_math=False
        )
        axes.set_xlim(0, max(len(weights) - 1, 1))
        axes.set_ylim(0, max(1.0, float(weights.max())))
        axes.set_ylabel("weight")
        if place == 0:
            figure.legend(
                handles=axes.get_lines(), loc="outside lower right", ncols=2, fontsize=panels.SMALL, frameon=False
            )
        if place == len(maps) - 1:
            axes.set_xlabel("channel")
        panels.plain(axes)
    return figure
