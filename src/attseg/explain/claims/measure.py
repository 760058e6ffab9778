"""Running a model over a split, and measuring the claims that its attention allows, one picture in memory at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import SegmentationData
from attseg.errors import UsageError
from attseg.explain.claims.by_size import PyramidClaim, ScaleClaim
from attseg.explain.claims.claim import Claim, ClaimTable
from attseg.explain.claims.confidence import ConfidenceClaim
from attseg.explain.claims.contrast import ContrastClaim
from attseg.explain.claims.gates import GateClaim
from attseg.explain.claims.pairs import PairClaim
from attseg.explain.claims.switched import PiecesClaim, SwapClaim
from attseg.explain.looked import look
from attseg.explain.passes import Passes, scale_names
from attseg.explain.split import chosen, samples_at
from attseg.models.frame import smallest_side
from attseg.models.refine import AttentionToRefine
from attseg.prediction.whole import as_batch

POINTS = 32
"""Points a picture whose pairwise maps are measured."""


@dataclass(frozen=True)
class Claims:
    """Measured claims.

    Args:
        tables: A table a claim.
        pictures: How many pictures were seen.
        split: Which part of the data set.
        points: Points a picture, for attention between positions.
        seed: What they were drawn with.
    """

    tables: list[ClaimTable]
    pictures: int
    split: str
    points: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "pictures": self.pictures,
            "split": self.split,
            "points": self.points,
            "seed": self.seed,
            "claims": [one.to_dict() for one in self.tables],
        }


def claims_of(model: nn.Module, *, points: int = POINTS) -> list[Claim]:
    """The claims that a model's attention allows.

    Raises:
        UsageError: It allows none.
    """
    passes = Passes(model)
    mechanisms = {passes.mechanism(path) for path in passes.taps}
    claims: list[Claim] = []
    if passes.pairwise:
        claims.append(PairClaim(points))
    if "2dpam" in mechanisms:
        claims.append(ConfidenceClaim())
    if mechanisms & {"dafm-high", "dafm-low"}:
        claims += [GateClaim(), ContrastClaim()]
    if isinstance(model, AttentionToRefine) and mechanisms & {"location", "attention-to-scale"}:
        claims += [ScaleClaim(tuple(scale_names(model))), PiecesClaim()]
        if len(model.percents) == 2:
            claims.append(SwapClaim())
    if "fpa" in mechanisms:
        claims.append(PyramidClaim())
    if not claims:
        has = f"its attention is {', '.join(sorted(mechanisms))}" if mechanisms else "it has no attention"
        raise UsageError(
            f"the papers claim nothing of this {type(model).__name__} that could be measured: {has}. PAN, PSANet, DFDAM and "
            "AttentionToRefine have what is measured"
        )
    return claims


def measure(
    model: nn.Module,
    data: SegmentationData,
    preprocessing: Preprocessing,
    *,
    device: torch.device | str = "cpu",
    limit: int | None = None,
    points: int = POINTS,
    seed: int = 0,
    on_picture: Callable[[int, int], None] | None = None,
) -> Claims:
    """See every picture of a split once and measure.

    The points of a picture depend on the seed and on the picture's place in the split alone.

    Args:
        model: A model of ours in evaluation mode, on ``device``.
        data: The split, with labels.
        preprocessing: What the model was trained with.
        device: Where the model is.
        limit: At most so many pictures, spread evenly over the split.
        points: Points a picture, for attention between positions.
        seed: What they are drawn with.
        on_picture: Called after each picture with how many are done, and how many there are.

    Raises:
        UsageError: The split is empty, a number below 1, or a model of whose attention nothing is claimed.
        DataError: A sample cannot be read, or ``check_sample`` refuses it.
    """
    if points < 1:
        raise UsageError(f"points is {points}; at least 1 was expected")
    indices = chosen(data, preprocessing, limit)
    claims, least, count = claims_of(model, points=points), smallest_side(model), len(indices)
    for done, (index, sample) in enumerate(zip(indices, samples_at(data, indices), strict=True), 1):
        looked = look(model, as_batch(sample.image, preprocessing, torch.device(device), least=least))
        for one in claims:
            one.add(looked, sample.labels, np.random.default_rng((seed, index)))
        if on_picture is not None:
            on_picture(done, count)
    tables = [table for one in claims for table in one.tables()]
    return Claims(tables, count, data.split, points, seed)
