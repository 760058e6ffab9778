"""A picture without some attention maps: the prediction with and without them, and where it changes."""

from __future__ import annotations

from matplotlib.figure import Figure

from attseg.errors import UsageError
from attseg.explain.change import MapChange
from attseg.explain.figures import panels
from attseg.explain.figures.seen import Pictured, Seen

TITLES = {"off": "without", "even": "made even", "other": "of the other model"}
"""Name of the second prediction, by how maps were switched."""


def change_panels(seen: Seen, change: MapChange) -> Figure:
    """The prediction with all maps, without some, the pixels that change in their new colours, and the probability that moves.

    Args:
        seen: What a model made of a picture, such as a ``Result``.
        change: The same without some maps, of the size of the picture.

    Raises:
        UsageError: The change is of another size.
    """
    height, width = seen.labels.shape
    if change.labels.shape != (height, width):
        raise UsageError(f"the change is of {change.labels.shape} pixels, and the picture has {(height, width)}")
    figure = panels.sheet(1, 4, seen.image, extra=0.7)
    first, second, third, fourth = figure.subplots(1, 4)
    after = Pictured(seen.image, change.labels, seen.classes, seen.looked)
    panels.show_prediction(first, seen, "all maps")
    panels.show_prediction(second, after, TITLES[change.how])
    panels.show_changes(third, seen, change.labels, f"changed: {change.share:.1%} of the pixels")
    drawn = panels.show_map(fourth, seen, change.shift, "probability that moves", high=1.0)
    panels.color_bar(figure, drawn, fourth, "share")
    panels.name_classes(
        figure, Pictured(seen.image, seen.labels, seen.classes, seen.looked, change.labels), labelled=True
    )
    shown = change.maps[0] if len(change.maps) == 1 else f"{change.maps[0]} and {len(change.maps) - 1} more"
    figure.suptitle(shown, fontsize=panels.SMALL + 1, parse_math=False)
    return figure
