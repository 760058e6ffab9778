"""DF-DAM's confidence of positions: how much of it lies at the borders of objects, and how much of the picture does.

"It can be clearly seen that the highlights are almost at the boundaries of the segmentation objects" (Xiong et al., 2019,
section 4.3).
"""

from __future__ import annotations

import numpy as np

from attseg.data.classes import IGNORE
from attseg.data.sample import Array
from attseg.evaluation.windows import differs_within
from attseg.explain.capture import AttentionMap
from attseg.explain.claims.claim import ClaimTable, Floats, Ratio, at_pixels
from attseg.explain.looked import Looked
from attseg.explain.pixel import to_numpy

WIDTHS = (2, 4, 8, 16)
"""Pixels to each side of a border that count as border."""


class ConfidenceClaim:
    """Share of the confidence near borders between labelled classes, beside the share of the area."""

    def __init__(self) -> None:
        self._shares = {width: (Ratio(), Ratio()) for width in WIDTHS}
        self._means = {width: (Ratio(), Ratio()) for width in WIDTHS}
        self._pictures = 0

    def add(self, looked: Looked, labels: Array, random: np.random.Generator) -> None:
        """Count a picture."""
        confidence = _confidence(looked, labels)
        self._pictures += 1
        for width in WIDTHS:
            on, off, near, far = border_sums(confidence, labels, width)
            self._shares[width][0].add(on, on + off)
            self._shares[width][1].add(near, near + far)
            self._means[width][0].add(on, near)
            self._means[width][1].add(off, far)

    def tables(self) -> list[ClaimTable]:
        """One table, a row a width."""
        columns = ("share of the confidence", "share of the area", "mean confidence there", "mean confidence elsewhere")
        rows = [
            (f"within {width} pixels", [one.number() for one in (*self._shares[width], *self._means[width])])
            for width in WIDTHS
        ]
        return [
            ClaimTable(
                "confidence at borders",
                "The highlights of the confidence map are almost all at the boundaries of objects.",
                "Xiong et al., DF-DAM, 2019, section 4.3",
                "border",
                columns,
                rows,
                [f"{self._pictures} pictures"],
            )
        ]


def border_sums(confidence: Floats, labels: Array, width: int) -> tuple[float, float, int, int]:
    """Confidence near borders and elsewhere, and the pixels near borders and elsewhere; ignored pixels are in neither.

    A pixel is near where another labelled class is at most ``width`` rows and columns away.

    Args:
        confidence: (H, W) of each pixel.
        labels: (H, W) classes, and 255 where ignored.
        width: In pixels.
    """
    near = differs_within(labels, width)
    far = (labels != IGNORE) & ~near
    return (
        float(confidence[near].sum(dtype=np.float64)),
        float(confidence[far].sum(dtype=np.float64)),
        int(near.sum()),
        int(far.sum()),
    )


def _confidence(looked: Looked, labels: Array) -> Floats:
    found = next(one for one in looked.found if isinstance(one, AttentionMap) and one.mechanism == "2dpam")
    return at_pixels(to_numpy(found.weights[0, 0]), labels.shape, looked.size)
