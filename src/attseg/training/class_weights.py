"""Factors that make rare classes count as much as common ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from attseg.data.feeding.balance import Counts, Floats
from attseg.files import read_bytes, replacing
from attseg.recipes.recipe import ClassWeights


def class_weights(kind: ClassWeights, counts: Counts) -> Floats:
    """(K,) The factor of each class in the loss.

    Args:
        kind: ``none``: 1 for all; ``median-frequency``: what ``median_frequency`` gives; ``sqrt-median-frequency``: the square
            roots of that.
        counts: (N, K + 1) As from ``count_labels``, of the training split.
    """
    if kind == "none":
        return np.ones(counts.shape[1] - 1)
    pixels = counts[:, :-1]
    around = (pixels > 0).T @ counts.sum(axis=1)
    weights = median_frequency(pixels.sum(axis=0), around)
    return np.sqrt(weights) if kind == "sqrt-median-frequency" else weights


def median_frequency(pixels: Counts, around: Counts) -> Floats:
    """(K,) The median of the frequencies of the classes over each class's own; 1 for classes that never occur.

    Args:
        pixels: (K,) pixels of each class.
        around: (K,) pixels of the pictures that hold the class; its frequency is the ratio of both.

    Source:
        Badrinarayanan et al., SegNet, section 4.

    Example:
        >>> median_frequency(np.array([80, 20, 10, 0]), np.array([100, 100, 100, 0])).tolist()
        [0.25, 1.0, 2.0, 1.0]
    """
    present = pixels > 0
    frequency = pixels[present] / around[present]
    weights = np.ones(len(pixels))
    weights[present] = np.median(frequency) / frequency
    return weights


def write_class_weights(path: Path, names: tuple[str, ...], weights: Floats) -> None:
    """Keep weights for later, by class name."""
    with replacing(path) as file:
        file.write(json.dumps(dict(zip(names, weights.tolist(), strict=True)), indent=2).encode() + b"\n")


def read_class_weights(path: Path) -> Floats:
    """What ``write_class_weights`` wrote, bit for bit."""
    return np.array(list(json.loads(read_bytes(path)).values()))
