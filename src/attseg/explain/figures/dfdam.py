"""DF-DAM (Xiong et al., 2019), figures 7 and 8: channel weights as curves; channel maps and the confidence of positions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from attseg.errors import UsageError
from attseg.explain.capture import AttentionMap
from attseg.explain.figures import panels
from attseg.explain.figures.seen import Floats, Seen, find_maps
from attseg.explain.pixel import to_numpy

HIGH, LOW, POSITION = "dafm-high", "dafm-low", "2dpam"
HAVING = "a DFDAM with gates='both', or an FCN with decoder='dual'"


def dfdam_7(seen: Seen, second: Seen | None = None) -> Figure:
    """The weights of every channel as curves: of the high-level and the low-level map, and of the low-level map in two pictures.

    Args:
        seen: What a model made of a picture, such as a ``Result``.
        second: What it made of another, for part (b); without one there is part (a) alone.

    Raises:
        UsageError: The model does not weigh channels by dual attention.

    Source:
        Section 4.3, figure 7.
    """
    parts = [("(a) one picture", _curves(seen))]
    if second is not None:
        pictures = (("first picture", seen), ("second picture", second))
        parts.append(("(b) the low-level map in two pictures", [(name, _gate(one, LOW)) for name, one in pictures]))
    figure = Figure(figsize=(8, 2.6 * len(parts)), layout="constrained")
    for axes, (title, curves) in zip(figure.subplots(len(parts), 1, squeeze=False)[:, 0], parts, strict=True):
        for place, (name, weights) in enumerate(curves):
            axes.plot(
                weights,
                panels.DASHES[place],
                color=panels.COLORS[place],
                linewidth=1.2,
                label=f"{name} (mean {weights.mean():.2f})",
            )
        axes.set_title(title, fontsize=panels.SMALL + 1, loc="left")
        axes.set_xlim(0, max(len(curves[0][1]) - 1, 1))
        axes.set_ylim(0, 1)
        axes.set_xlabel("channel")
        axes.set_ylabel("weight")
        axes.legend(fontsize=panels.SMALL, frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
        panels.plain(axes)
    return figure


def dfdam_8(seen: Seen, second: Seen | None = None, *, channels: Sequence[int] | None = None) -> Figure:
    """Channels of the low-level map before they are weighed, and the confidence in each position; one row a picture.

    Args:
        seen: What a model made of a picture, such as a ``Result``.
        second: What it made of another, for a second row.
        channels: Which channels; None is that with the lowest weight in the first picture, and the two with the highest. The
            paper shows 51, 126 and 11 of its network.

    Raises:
        UsageError: The model lacks dual attention or the confidence of positions, or has no such channel.

    Source:
        Section 4.3, figure 8.
    Reading:
        The paper's last column holds the labels. A picture without labels has its prediction there, and the panel says so.
    """
    weights = _gate(seen, LOW)
    if channels is None:
        order = np.argsort(weights, kind="stable")
        channels = [int(index) for index in dict.fromkeys((order[0], order[-1], order[-2 % len(order)]))]
    for index in channels:
        if not 0 <= index < len(weights):
            raise UsageError(f"channel {index} was asked for; the low-level map has the channels 0..{len(weights) - 1}")
    rows = [seen] if second is None else [seen, second]
    columns = 3 + len(channels)
    figure = panels.sheet(len(rows), columns, seen.image, bars=1 + len(channels), extra=0.3)
    for one, places in zip(rows, figure.subplots(len(rows), columns, squeeze=False), strict=True):
        panels.show_picture(places[0], one)
        mine, maps = _gate(one, LOW), _low_level(one)
        for axes, index in zip(places[1:-2], channels, strict=True):
            drawn = panels.show_map(
                axes, one, maps[index], f"channel {index} (weight {mine[index]:.2f})", colors="gray"
            )
            panels.color_bar(figure, drawn, axes, "feature")
        confidence = find_maps(one, "confidence of positions", (POSITION,), "a DFDAM with confidence='raw'")[0]
        drawn = panels.show_map(places[-2], one, to_numpy(confidence.weights[0, 0]), "confidence", high=1.0)
        panels.color_bar(figure, drawn, places[-2], "confidence")
        panels.show_truth(places[-1], one)
    panels.name_classes(figure, seen, labelled=True)
    return figure


def _curves(seen: Seen) -> list[tuple[str, Floats]]:
    """The gates that there are; of several image scales, those of the largest."""
    gates = _gates(seen)
    named = (("high-level", HIGH), ("low-level", LOW))
    return [
        (name, to_numpy(one.weights.flatten()))
        for name, mechanism in named
        for one in [_first(gates, mechanism)]
        if one is not None
    ]


def _gate(seen: Seen, mechanism: str) -> Floats:
    """The weights (C,) of one gate."""
    found = _first(_gates(seen), mechanism)
    if found is None:
        raise UsageError(f"this {type(seen.looked.model).__name__} has no gate on its low-level map. Take {HAVING}")
    return to_numpy(found.weights.flatten())


def _gates(seen: Seen) -> list[AttentionMap]:
    return find_maps(seen, "dual attention over channels", (HIGH, LOW), HAVING)


def _first(gates: list[AttentionMap], mechanism: str) -> AttentionMap | None:
    """The first map of a gate; of several image scales, that of the largest."""
    return next((one for one in gates if one.mechanism == mechanism), None)


def _low_level(seen: Seen) -> Floats:
    """(C, h, w) The low-level map that the gate weighs."""
    gate = _first(_gates(seen), LOW)
    assert gate is not None
    path = gate.name.partition(" at ")[0].removesuffix(".low_gate.attention")
    return to_numpy(seen.looked.outputs(f"{path}.reduce")[0][0])
