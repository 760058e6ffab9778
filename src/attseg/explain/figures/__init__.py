"""The papers' own figures of attention, for any picture and any model that has the maps: one file a paper.

Each function takes what a segmenter made of a picture, and gives a matplotlib figure::

    from attseg import load
    from attseg.explain import figures

    result = load("runs/psanet-camvid")("street.jpg")
    figures.psanet_6(result, [(120, 80), (300, 200)]).savefig("figure-6.pdf")

``attseg explain RUN IMAGE --figure psanet-6 --at 120,80 --at 300,200 --out figure-6.pdf`` does the same. ``at_pixel`` is no
paper's: it shows what every map of a model holds for one pixel.
"""

from __future__ import annotations

from attseg.explain.figures.dfdam import dfdam_7, dfdam_8
from attseg.explain.figures.pan import pan_fpa, pan_gau
from attseg.explain.figures.pixel import at_pixel
from attseg.explain.figures.psanet import psanet_6
from attseg.explain.figures.refine import a2r_recalibration, a2r_scales
from attseg.explain.figures.seen import Seen

__all__ = [
    "Seen",
    "a2r_recalibration",
    "a2r_scales",
    "at_pixel",
    "dfdam_7",
    "dfdam_8",
    "pan_fpa",
    "pan_gau",
    "psanet_6",
]
