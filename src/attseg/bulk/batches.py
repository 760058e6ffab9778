"""Pictures of equal size go through the network together, where each of them is seen once and whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import torch

from attseg.data.sample import Array
from attseg.errors import UsageError
from attseg.inference.result import Result
from attseg.inference.segmenter import Segmenter
from attseg.prediction.bands import Band
from attseg.prediction.decided import DecidedBand, DecidingModel
from attseg.prediction.stream import MEMORY
from attseg.prediction.whole import as_batch

MOST = 32
"""Pictures in a batch, at most."""

FEW_PIXELS = 2**17
"""Pixels of a batch on a processor, at most: what is larger gains nothing from company (`benchmarks/predict.md`)."""

LONGEST = 128
"""Items that wait together at most, where most of them are no pictures to be segmented."""

Item = TypeVar("Item")


def most_together(segmenter: Segmenter, image: Array, *, memory: int | None, limit: int | None) -> int:
    """How many pictures of the size of one make a batch.

    Args:
        segmenter: What segments them.
        image: (H, W, 3) one of them.
        memory: MiB for the pictures, their logits and probabilities; None takes what ``Predictor`` takes.
        limit: At most so many; None takes 32, and on a processor no more than have 131072 pixels together.
    """
    height, width = image.shape[:2]
    device = segmenter.device.type
    mebibytes = MEMORY.get(device, MEMORY["cuda"]) if memory is None else memory
    fitting = mebibytes * 2**20 // (4 * height * width * (3 + 2 * len(segmenter.classes)))
    if limit is None:
        limit = min(MOST, FEW_PIXELS // (height * width)) if device == "cpu" else MOST
    return max(1, min(fitting, limit))


def windows(
    items: Iterable[Item], image_of: Callable[[Item], Array | None], most: Callable[[Array], int]
) -> Iterator[list[Item]]:
    """Runs of items, each with about as many pictures as go through the network together.

    Args:
        items: What comes, some of it without a picture.
        image_of: The picture of an item.
        most: How many pictures of its size make a batch.
    """
    waiting: list[Item] = []
    pictures, room = 0, sys.maxsize
    for item in items:
        waiting.append(item)
        if (image := image_of(item)) is not None:
            pictures, room = pictures + 1, min(room, most(image))
        if pictures >= room or len(waiting) >= LONGEST:
            yield waiting
            waiting, pictures, room = [], 0, sys.maxsize
    if waiting:
        yield waiting


def by_size(images: Sequence[Array]) -> list[list[int]]:
    """Places of the pictures of each size.

    Example:
        >>> import numpy as np
        >>> wide, high = np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)
        >>> by_size([wide, high, wide])
        [[0, 2], [1]]
    """
    places: dict[tuple[int, ...], list[int]] = {}
    for place, image in enumerate(images):
        places.setdefault(image.shape, []).append(place)
    return list(places.values())


def segment_together(segmenter: Segmenter, images: Sequence[Array]) -> list[Result]:
    """Results of pictures of equal size, each seen once and whole: those of single pictures, but for the last bits.

    Raises:
        UsageError: They do not fit into the memory; or the model has other classes than its table names.
    """
    if len(images) == 1:
        return [segmenter.segment(images[0])]
    height, width = images[0].shape[:2]
    least = segmenter.predictor().least
    try:
        with torch.inference_mode():
            batch = torch.cat(
                [as_batch(image, segmenter.preprocessing, segmenter.device, least=least) for image in images]
            )
            if isinstance(segmenter.model, DecidingModel):
                found = zip(*segmenter.model.decide(batch), strict=True)
                bands = [DecidedBand(0, *(part[:height, :width] for part in one)).decide() for one in found]
                return [segmenter.result(image, *parts) for image, parts in zip(images, bands, strict=True)]
            logits = (
                segmenter.model(batch.contiguous(memory_format=torch.channels_last))
                .logits[:, :, :height, :width]
                .float()
            )
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "DefaultCPUAllocator" not in str(error):
            raise
        raise UsageError(
            f"{len(images)} pictures of {height} x {width} (height x width) do not fit into the memory"
        ) from error
    if logits.shape[1] != len(segmenter.classes):
        raise UsageError(f"the model has {logits.shape[1]} classes, but the class table names {len(segmenter.classes)}")
    decided = (Band(0, one, "logits").decide() for one in logits)
    return [segmenter.result(image, *parts) for image, parts in zip(images, decided, strict=True)]
