"""Pictures of equal size go through the network together, where each of them is seen once and whole."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
import torch

from attseg.data.classes import ClassTable
from attseg.data.sample import Array
from attseg.errors import UsageError
from attseg.prediction.bands import ScoreBand
from attseg.prediction.crf import Floats
from attseg.prediction.decided import DecidedBand, DecidingModel
from attseg.prediction.decision import ARGMAX, Decision
from attseg.prediction.folded import fold_batch_norm
from attseg.prediction.outputs import logits_of
from attseg.prediction.stream import OnViews, Predictor, is_out_of_memory
from attseg.prediction.whole import as_batch

MOST = 32
"""Pictures in a batch, at most."""

FEW_PIXELS = 2**17
"""Pixels of a batch on a processor, at most: what is larger gains nothing from company (`benchmarks/predict.md`)."""

LONGEST = 128
"""Items that wait together at most, where most of them are no pictures to be segmented."""

Item = TypeVar("Item")


class How(NamedTuple):
    """How classes are made of scores, and what is kept.

    Args:
        classes: Classes of the model.
        decision: From probabilities to classes.
        probabilities: Whether those of all classes are kept.
    """

    classes: ClassTable
    decision: Decision = ARGMAX
    probabilities: bool = False


class Prediction(NamedTuple):
    """The prediction of a picture.

    Args:
        labels: (H, W) the class of each pixel.
        probabilities: (K, H, W) of all classes, where they were asked for.
        seconds: How long it took; of a batch, its share.
    """

    labels: Array
    probabilities: Floats | None = None
    seconds: float | None = None


def quick(predictor: Predictor, *, exact: bool) -> Predictor:
    """The same with batch normalisation folded into convolutions, which changes the last bits of scores, unless they matter."""
    return predictor if exact else replace(predictor, model=fold_batch_norm(predictor.model))


def predict_all(
    predictor: Predictor,
    items: Iterable[Item],
    image_of: Callable[[Item], Array | None],
    how: How,
    *,
    limit: int | None = None,
    on_views: OnViews | None = None,
) -> Iterator[tuple[Item, Prediction | UsageError | None]]:
    """Items in their order, each with the prediction of its picture, or why there is none; None where it has no picture.

    Args:
        predictor: Model and protocol.
        items: What comes, some of it without a picture.
        image_of: The picture (H, W, 3) of an item.
        how: How classes are made, and what is kept.
        limit: Pictures in a batch, at most; None takes 32, and on a processor no more than have 131072 pixels together.
        on_views: Called on the way through a picture with how many views are done, and how many there are.
    """

    def most(image: Array) -> int:
        return most_together(predictor, image, limit) if predictor.protocol.is_plain else 1

    for window in _windows(items, image_of, most):
        images = [image_of(item) for item in window]
        found: list[Prediction | UsageError | None] = [None] * len(window)
        for places in by_size(images):
            room = most(images[places[0]])  # type: ignore[arg-type] # by_size names places of pictures alone
            for first in range(0, len(places), room):
                part = places[first : first + room]
                predicted = _predict(predictor, [images[place] for place in part], how, on_views)  # type: ignore[misc] # likewise
                for place, prediction in zip(part, predicted, strict=True):
                    found[place] = prediction
        yield from zip(window, found, strict=True)


def most_together(predictor: Predictor, image: Array, limit: int | None) -> int:
    """How many pictures of the size of one make a batch; arguments as of ``predict_all``."""
    height, width = image.shape[:2]
    if limit is None:
        limit = min(MOST, FEW_PIXELS // (height * width)) if predictor.device.type == "cpu" else MOST
    return max(1, min(predictor.fitting(height, width), limit))


def by_size(images: Sequence[Array | None]) -> list[list[int]]:
    """Places of the pictures of each size.

    Example:
        >>> wide, high = np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)
        >>> by_size([wide, None, high, wide])
        [[0, 3], [2]]
    """
    places: dict[tuple[int, ...], list[int]] = {}
    for place, image in enumerate(images):
        if image is not None:
            places.setdefault(image.shape, []).append(place)
    return list(places.values())


def _windows(
    items: Iterable[Item], image_of: Callable[[Item], Array | None], most: Callable[[Array], int]
) -> Iterator[list[Item]]:
    """Runs of items, each with about as many pictures as go through the network together."""
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


def _predict(
    predictor: Predictor, images: Sequence[Array], how: How, on_views: OnViews | None
) -> list[Prediction | UsageError]:
    """Predictions of pictures of equal size; where they do not fit together, each alone."""
    start = time.perf_counter()
    try:
        if len(images) == 1:
            found = [_decide(predictor.bands(images[0], on_views), how)]
        else:
            found = [_decide([band], how) for band in _see_together(predictor, images)]
    except UsageError as error:
        if len(images) == 1:
            return [error]
        return [one for image in images for one in _predict(predictor, [image], how, on_views)]
    seconds = (time.perf_counter() - start) / len(images)
    return [one._replace(seconds=seconds) for one in found]


def _decide(bands: Iterable[ScoreBand | DecidedBand], how: How) -> Prediction:
    labels, probs = [], []
    for band in bands:
        decided = band.labels()  # refuses scores that are NaN or infinite
        if how.probabilities or how.decision.needs_probabilities:
            found = band.probabilities()
            if how.decision.needs_probabilities:
                decided, _ = how.decision.choose(found, how.classes)
            if how.probabilities:
                probs.append(found.cpu().numpy())
        labels.append(decided)
    cleaned = how.decision.clean(np.concatenate(labels))
    return Prediction(cleaned, np.concatenate(probs, axis=1) if probs else None)


def _see_together(predictor: Predictor, images: Sequence[Array]) -> list[ScoreBand | DecidedBand]:
    """Scores of pictures of equal size, each seen once and whole: those of single pictures, but for the last bits."""
    height, width = images[0].shape[:2]
    model = predictor.model
    try:
        with torch.inference_mode():
            batch = torch.cat(
                [as_batch(image, predictor.preprocessing, predictor.device, least=predictor.least) for image in images]
            )
            if isinstance(model, DecidingModel):
                found = zip(*model.decide(batch), strict=True)
                return [DecidedBand(0, *(part[:height, :width] for part in one)) for one in found]
            output = model(batch.contiguous(memory_format=torch.channels_last))
            logits = logits_of(output, batch)[:, :, :height, :width].float()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise UsageError(f"{len(images)} pictures of {height} x {width} do not fit into the memory") from error
    if logits.shape[1] != predictor.classes:
        raise UsageError(f"the model has {logits.shape[1]} classes, but the class table names {predictor.classes}")
    return [ScoreBand(0, one, "logits") for one in logits]
