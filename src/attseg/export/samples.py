"""Pictures to check an export with, and to calibrate integers with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from attseg.data.preprocessing import Preprocessing
from attseg.data.reading.bands import resized
from attseg.data.reading.inputs import find_pictures
from attseg.data.sample import Array, SegmentationData
from attseg.data.sets.scenes import SMALLEST_SIDE, Scenes
from attseg.inference.exported.contract import Contract, Size
from attseg.inference.exported.engines import Numbers

CHECKED = 2
"""Pictures of each size that an export is checked with; they go in together, as one batch."""


def sample_pictures(size: Size, given: Sequence[Array] = (), count: int = CHECKED, *, channels: int = 3) -> list[Array]:
    """Pictures (H, W, C) of a size: those given, scaled to it, or else generated scenes, whose colours are repeated.

    Example:
        >>> [picture.shape for picture in sample_pictures((40, 60))]
        [(40, 60, 3), (40, 60, 3)]
    """
    if given:
        return [_scaled(given[index % len(given)], size) for index in range(count)]
    drawn = (max(size[0], SMALLEST_SIDE), max(size[1], SMALLEST_SIDE))
    scenes = Scenes("val", size=drawn, count=count)
    places = [place % 3 for place in range(channels)]
    return [_scaled(scenes[index].image[..., places], size) for index in range(count)]


def as_input(pictures: Sequence[Array], contract: Contract, preprocessing: Preprocessing) -> Numbers:
    """Pictures of one size as a file takes them."""
    batch = np.ascontiguousarray(np.stack(pictures))
    if contract.takes == "bytes":
        return batch
    return preprocessing(torch.from_numpy(batch).permute(0, 3, 1, 2)).contiguous().numpy()


def read_some(inputs: Iterable[str | Path], count: int, preprocessing: Preprocessing) -> list[Callable[[], Array]]:
    """Readers of at most ``count`` pictures of files, folders and patterns, spread evenly over all.

    Args:
        inputs: Files, folders and patterns.
        count: How many, at most.
        preprocessing: By whose value range and bands they are read.

    Raises:
        UsageError: An input is not there, or no picture was found.
    """
    files = list(find_pictures([str(one) for one in inputs]))
    return [partial(preprocessing.read, files[index].path) for index in spread(len(files), count)]


def draw_some(data: SegmentationData, count: int) -> list[Callable[[], Array]]:
    """Readers of at most ``count`` pictures of a split, spread evenly over it."""
    return [partial(_image_of, data, index) for index in spread(len(data), count)]


def spread(total: int, count: int) -> list[int]:
    """At most ``count`` of ``total`` indices, evenly apart.

    Example:
        >>> spread(10, 4), spread(3, 4)
        ([0, 2, 5, 7], [0, 1, 2])
    """
    count = min(total, count)
    return [index * total // count for index in range(count)]


def _image_of(data: SegmentationData, index: int) -> Array:
    return data[index].image


def _scaled(picture: Array, size: Size) -> Array:
    if picture.shape[:2] == size:
        return picture
    return resized(picture, size, Image.Resampling.BILINEAR)
