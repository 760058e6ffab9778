"""Summary of a data set, from some of its samples: count, sizes, classes, imbalance, smallest objects."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from attseg.data.regions import find_regions
from attseg.data.sample import SegmentationData
from attseg.runs.labels import FEW

LOOKED_AT = 60
"""Training samples that are read, evenly spread."""

SPECK = 4
"""Pixels of a region that does not count as an object."""


@dataclass(frozen=True, kw_only=True)
class DataSummary:
    """Result of ``summarise``.

    Args:
        train: Training samples.
        val: Validation samples.
        looked_at: Training samples that were read.
        size: Median height and width, in pixels.
        smallest_size: Least height and least width.
        shares: Share of the labelled pixels by class.
        samples: How many of the samples that were read have the class, by class.
        object_side: Square root of the area of the regions of a class, in pixels: of the class whose median is least.
        object_class: That class; None where nothing is labelled.
    """

    train: int
    val: int
    looked_at: int
    size: tuple[int, int]
    smallest_size: tuple[int, int]
    shares: dict[str, float]
    samples: dict[str, int]
    object_side: float
    object_class: str | None

    @property
    def imbalance(self) -> float:
        """Share of the most frequent class over that of the rarest one that occurs; 1 without any."""
        found = [share for share in self.shares.values() if share > 0]
        return max(found) / min(found) if found else 1.0

    @property
    def rare(self) -> dict[str, int]:
        """Classes in fewer than ``FEW`` training samples, where all of them were read, with their number of samples."""
        if self.looked_at < self.train:
            return {}
        return {name: count for name, count in self.samples.items() if count < FEW}


def summarise(train: SegmentationData, val: SegmentationData, *, seconds: float = math.inf) -> DataSummary:
    """Read some training samples, and say what is in them.

    Args:
        train: The split to train on.
        val: The split to evaluate on.
        seconds: After which no more samples are read, but for one.

    Raises:
        DataError: A sample cannot be read.
    """
    names = train.classes.names
    indices = np.unique(np.linspace(0, len(train) - 1, min(len(train), LOOKED_AT)).round().astype(int))
    pixels = np.zeros(len(names), np.int64)
    samples = np.zeros(len(names), np.int64)
    sides: dict[int, list[float]] = {}
    sizes: list[tuple[int, ...]] = []
    end = time.perf_counter() + seconds
    for index in np.random.default_rng(0).permutation(indices).tolist():  # those read in time are spread too
        if sizes and time.perf_counter() > end:
            break
        labels = train[index].labels
        sizes.append(labels.shape)
        counts = np.bincount(labels.ravel(), minlength=256)[: len(names)]
        pixels += counts
        samples += counts > 0
        regions = find_regions(labels)
        for value, area in zip(regions.values.tolist(), regions.areas.tolist(), strict=True):
            if value < len(names) and area >= SPECK:
                sides.setdefault(value, []).append(area**0.5)
    medians = {value: float(np.median(found)) for value, found in sides.items()}
    least = min(medians, key=medians.__getitem__) if medians else None
    height, width = np.median(sizes, axis=0).round().astype(int).tolist()
    low = np.min(sizes, axis=0).tolist()
    return DataSummary(
        train=len(train),
        val=len(val),
        looked_at=len(sizes),
        size=(height, width),
        smallest_size=(low[0], low[1]),
        shares=dict(zip(names, (pixels / max(pixels.sum(), 1)).tolist(), strict=True)),
        samples=dict(zip(names, samples.tolist(), strict=True)),
        object_side=medians[least] if least is not None else 0.0,
        object_class=None if least is None else names[least],
    )
