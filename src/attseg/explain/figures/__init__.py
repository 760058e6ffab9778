"""The papers' own figures of attention, for any picture and any model that has the maps: one file a paper.

Each function takes what a segmenter made of a picture, and gives a matplotlib figure::

    from attseg import load
    from attseg.explain import figures

    result = load("runs/psanet-camvid")("street.jpg")
    figures.psanet_6(result, [(120, 80), (300, 200)]).savefig("figure-6.pdf")

``attseg explain RUN IMAGE --figure psanet-6 --at 120,80 --at 300,200 --out figure-6.pdf`` does the same. ``at_pixel`` is no
paper's: it shows what every map of a model holds for one pixel; nor is ``change_panels``, a prediction without some maps.
``runs_figure`` is the figure of results that all papers have: what several models predict beside picture and labels.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from attseg.explain.figures.change import change_panels
from attseg.explain.figures.dfdam import dfdam_7, dfdam_8
from attseg.explain.figures.pan import pan_fpa, pan_gau
from attseg.explain.figures.pixel import at_pixel
from attseg.explain.figures.psanet import psanet_6
from attseg.explain.figures.refine import a2r_recalibration, a2r_scales
from attseg.explain.figures.runs import Compared, chosen_pictures, runs_figure
from attseg.explain.figures.seen import Seen

__all__ = [
    "Compared",
    "Seen",
    "a2r_recalibration",
    "a2r_scales",
    "at_pixel",
    "change_panels",
    "chosen_pictures",
    "dfdam_7",
    "dfdam_8",
    "draw",
    "pan_fpa",
    "pan_gau",
    "psanet_6",
    "runs_figure",
]


def draw(
    name: str,
    seen: Seen,
    second: Seen | None = None,
    *,
    points: Sequence[tuple[int, int]] = (),
    channels: Sequence[int] | None = None,
) -> Figure:
    """A figure by the name that the command line gives it.

    Args:
        name: Such as ``psanet-6``.
        seen: The image and what a model made of it.
        second: Another image, for dfdam-7 and dfdam-8.
        points: Pixels (x, y), for psanet-6.
        channels: Channels, for dfdam-8.
    """
    match name:
        case "a2r-scales":
            return a2r_scales(seen)
        case "a2r-recalibration":
            return a2r_recalibration(seen)
        case "dfdam-7":
            return dfdam_7(seen, second)
        case "dfdam-8":
            return dfdam_8(seen, second, channels=channels)
        case "pan-fpa":
            return pan_fpa(seen)
        case "pan-gau":
            return pan_gau(seen)
    return psanet_6(seen, list(points))
