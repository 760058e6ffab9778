"""Factors that make rare classes count as much as common ones."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attseg.data.sample import SegmentationData
from attseg.files import replacing
from attseg.recipes.recipe import ClassWeights

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def class_weights(kind: ClassWeights, data: SegmentationData) -> Floats | None:
    """(K,) The factor of each class in the loss, from the labels of the training split; None if all count alike.

    Args:
        kind: ``median-frequency``: what ``median_frequency`` gives; ``sqrt-median-frequency``: the square roots of that.
        data: The training split; every label is read once.
    """
    if kind == "none":
        return None
    weights = median_frequency(*count_pixels(data))
    return np.sqrt(weights) if kind == "sqrt-median-frequency" else weights


def count_pixels(data: SegmentationData) -> tuple[Counts, Counts]:
    """Pixels of each class (K,), and all pixels, ignored ones too, of the pictures that hold the class (K,)."""
    k = len(data.classes)

    def count(index: int) -> Counts:
        return np.bincount(data[index].labels.ravel(), minlength=256)

    pixels, around = np.zeros((2, k), np.int64)
    with ThreadPoolExecutor() as pool:
        for counts in pool.map(count, range(len(data))):
            pixels += counts[:k]
            around += (counts[:k] > 0) * counts.sum()
    return pixels, around


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
    return np.array(list(json.loads(path.read_bytes()).values()))
