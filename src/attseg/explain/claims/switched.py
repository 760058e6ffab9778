"""Attention to Refine with its maps switched: objects that fall to pieces, and which image scale large objects need.

Yang and Peng (2018) give two reasons. The recalibrating branch is there because a network "tends to take apart a large-scale
object into several regions of different classes" (section 2.2), and makes the "probability of breaking down a large-scale object
into several pieces" smaller (section 3.1). The location branch is to "put large weights on the large object or region in
small-scale stream" (section 2.1): then large objects should suffer most where the weights of the scales are swapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.data.regions import Regions, find_regions
from attseg.data.sample import Array
from attseg.evaluation.sizes import BOUNDS
from attseg.explain.capture import AttentionMap, Edit, edited
from attseg.explain.claims.by_size import SIZES, sums_by_size
from attseg.explain.claims.claim import ClaimTable, Integers, Ratio
from attseg.explain.looked import Looked
from attseg.explain.switching import switch

LEAST = 0.01
"""Share of an object's pixels that a piece has at least."""

SOURCE = "Yang and Peng, Attention to Refine, 2018, "


def pieces(regions: Regions, predicted: Array) -> Integers:
    """(R,) Into how many pieces the prediction takes each region apart.

    A piece is a connected part of the region with one predicted class that has at least ``LEAST`` of its pixels.

    Args:
        regions: Of the labels.
        predicted: (H, W) classes.
    """
    both: npt.NDArray[Any] = regions.ids * (IGNORE + 1) + predicted
    parts = find_regions(both)
    owners = parts.values // (IGNORE + 1)
    counted = parts.areas >= LEAST * regions.areas[owners]
    return np.bincount(owners[counted], minlength=len(regions.areas))


class PiecesClaim:
    """Pieces of each labelled object by its size: as it is, and with each branch made even."""

    def __init__(self) -> None:
        self._found: dict[str, list[Ratio]] = {}
        self._objects = 0

    def add(self, looked: Looked, labels: Array, random: np.random.Generator) -> None:
        """Count a picture."""
        regions = find_regions(labels)
        real, sizes = regions.values != IGNORE, np.digitize(regions.areas, BOUNDS)
        self._objects += int(real.sum())
        for name, predicted in _predicted(looked, labels.shape, _even(looked)).items():
            counts = pieces(regions, predicted)
            ratios = self._found.setdefault(name, [Ratio() for _ in SIZES])
            for size, ratio in enumerate(ratios):
                here = real & (sizes == size)
                ratio.add(counts[here].sum(), here.sum())

    def tables(self) -> list[ClaimTable]:
        """One table, a row a size."""
        claim = "The extra branch makes it less probable that a large object is broken down into several pieces."
        rows = [(size, [ratios[place].number() for ratios in self._found.values()]) for place, size in enumerate(SIZES)]
        columns = tuple(f"pieces, {name}" for name in self._found)
        remarks = [f"{self._objects} objects", f"a piece has {LEAST:.0%} of the object's pixels or more"]
        return [
            ClaimTable("pieces of objects", claim, SOURCE + "section 3.1", "area of the object", columns, rows, remarks)
        ]


class SwapClaim:
    """Share of right pixels in objects of each size, with the weights of two image scales as they are and swapped."""

    def __init__(self) -> None:
        self._found: dict[str, list[Ratio]] = {}
        self._objects = 0

    def add(self, looked: Looked, labels: Array, random: np.random.Generator) -> None:
        """Count a picture."""
        predicted = _predicted(looked, labels.shape, _scales(looked))
        right = np.stack([(one == labels).astype(np.float32) for one in predicted.values()])
        sums, pixels, won = sums_by_size(right, labels)
        self._objects += int(won.sum())
        for place, name in enumerate(predicted):
            ratios = self._found.setdefault(name, [Ratio() for _ in SIZES])
            for size, ratio in enumerate(ratios):
                ratio.add(sums[size, place], pixels[size])

    def tables(self) -> list[ClaimTable]:
        """One table, a row a size."""
        rows = [(size, [ratios[place].number() for ratios in self._found.values()]) for place, size in enumerate(SIZES)]
        return [
            ClaimTable(
                "scale weights swapped",
                "Large objects need the small picture, and small ones the large picture.",
                SOURCE + "section 2.1",
                "area of the object",
                tuple(f"right, {name}" for name in self._found),
                rows,
                [f"{self._objects} objects"],
            )
        ]


def _even(looked: Looked) -> dict[str, dict[str, Edit]]:
    """Edits by what they are called."""
    mechanisms = dict.fromkeys(
        one.mechanism for one in looked.found if isinstance(one, AttentionMap) and not one.name.startswith("base.")
    )
    return {f"{name} even": switch(looked.model, [name], "even") for name in mechanisms}


def _scales(looked: Looked) -> dict[str, dict[str, Edit]]:
    name = next(one.name for one in looked.found if isinstance(one, AttentionMap) and one.kind == "scale")
    ways: dict[str, Edit] = {
        "swapped": lambda weights: weights.flip(1),
        "even": lambda weights: torch.full_like(weights, 1 / weights.shape[1]),
        "large scale alone": lambda weights: _alone(weights, 0),
        "small scale alone": lambda weights: _alone(weights, 1),
    }
    return {way: {name: edit} for way, edit in ways.items()}


def _alone(weights: Tensor, scale: int) -> Tensor:
    alone = torch.zeros_like(weights)
    alone[:, scale] = 1
    return alone


@torch.no_grad()
def _predicted(looked: Looked, shape: tuple[int, ...], edits: Mapping[str, Mapping[str, Edit]]) -> dict[str, Array]:
    """(H, W) The classes with all maps, and with each of the edits."""
    height, width = shape
    found = {"as it is": looked.labels[:height, :width]}
    for name, edit in edits.items():
        with edited(looked.model, edit):
            logits: Tensor = looked.model(looked.images).logits
        found[name] = logits[0, :, :height, :width].argmax(0).to(torch.uint8).cpu().numpy()
    return found
