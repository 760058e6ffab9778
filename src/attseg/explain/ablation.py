"""How much each attention map is worth: the mIoU of a split with all maps, less that without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from attseg.attention.tap import Tap
from attseg.data.classes import ClassTable
from attseg.data.sample import Array, SegmentationData
from attseg.encoders.base import Encoder
from attseg.evaluation.bootstrap import DRAWS, LEVEL, Integers, Interval, class_parts, ious_of, paired_intervals
from attseg.evaluation.job import Network
from attseg.explain.capture import AttentionMap, Edit, edited
from attseg.explain.change import MapChange, maps_of, without
from attseg.explain.looked import Looked, Pairs, look
from attseg.explain.passes import Passes
from attseg.explain.split import chosen, samples_at
from attseg.explain.switching import How, find_maps, switch
from attseg.metrics import ConfusionMatrix, mean_present, none_if_nan
from attseg.models.frame import smallest_side
from attseg.prediction.outputs import logits_of
from attseg.prediction.whole import as_batch

Variant = tuple[tuple[str, ...], How]
"""Which maps are switched, and how."""


@dataclass(frozen=True, eq=False)
class Worth:
    """The worth of some maps.

    Args:
        maps: Their names.
        how: How they were switched.
        miou: Of the split without them.
        worth: The mIoU with all maps less this, and its 95 % interval over pictures; its ends are NaN for a single picture.
        classes: The same difference of the IoU of each class.
        changed: Share of the labelled pixels that have another class without them.
    """

    maps: tuple[str, ...]
    how: How
    miou: float
    worth: Interval
    classes: tuple[Interval, ...]
    changed: float


@dataclass(frozen=True, eq=False)
class Ablation:
    """The worth of a model's attention maps on a split. ``ablate`` returns it.

    Args:
        classes: Names and colours.
        split: Which part of the data set.
        pictures: How many were seen.
        miou: With all maps.
        ious: (K,) IoU of each class with all maps; NaN for absent ones.
        rows: Each map and way, and all maps together.
    """

    classes: ClassTable
    split: str
    pictures: int
    miou: float
    ious: tuple[float, ...]
    rows: list[Worth]

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; scores in [0, 1], null where there is none."""
        names = self.classes.names
        return {
            "split": self.split,
            "pictures": self.pictures,
            "level": LEVEL,
            "draws": DRAWS,
            "miou": none_if_nan(self.miou),
            "per_class": dict(zip(names, map(none_if_nan, self.ious), strict=True)),
            "maps": [
                {
                    "maps": list(row.maps),
                    "how": row.how,
                    "miou": none_if_nan(row.miou),
                    "worth": row.worth.to_dict(),
                    "changed": none_if_nan(row.changed),
                    "per_class": {name: one.to_dict() for name, one in zip(names, row.classes, strict=True)},
                }
                for row in self.rows
            ],
        }


def ablate(
    network: Network,
    data: SegmentationData,
    *,
    maps: Sequence[str] | None = None,
    hows: Sequence[How] = ("off", "even"),
    other: Network | None = None,
    limit: int | None = None,
    on_picture: Callable[[int, int], None] | None = None,
) -> Ablation:
    """Measure a split with all attention maps, and without each.

    Pictures are seen whole, one at a time. The encoder, which stands before all maps, runs once for each picture.

    Args:
        network: The model, such as a ``Segmenter``, in evaluation mode.
        data: The split, with labels.
        maps: Names of maps, taps or mechanisms; None takes all.
        hows: How they are switched, ``off`` or ``even``; see ``attseg.explain.switching``.
        other: A model of the same architecture, whose maps are put in the place of this one's too.
        limit: At most so many pictures, spread evenly over the split.
        on_picture: Called after each picture with how many are done, and how many there are.

    Raises:
        UsageError: The model has no attention, or no such map; the other model's do not fit; the split is empty.
        DataError: A sample cannot be read, or its labels are no classes.
        RuntimeError: The map of all pairs of positions would be too large for a picture.

    Example:
        >>> import attseg
        >>> from attseg.data import open_data
        >>> found = ablate(attseg.load("demo"), open_data("scenes", "val", size=(64, 96)), maps=["fpa"], limit=2)
        >>> [(row.maps, row.how) for row in found.rows]
        [(('context.pyramid',), 'off'), (('context.pyramid',), 'even')]
    """
    model = network.model
    names = find_maps(model, Passes(model).taps if maps is None else maps)
    every: tuple[How, ...] = (*dict.fromkeys(hows), *(("other",) if other is not None else ()))
    sets = [*((name,) for name in names), *([tuple(names)] if len(names) > 1 else [])]
    variants: list[Variant] = [(one, how) for one in sets for how in every]
    least, places, classes = smallest_side(model), chosen(data, network.preprocessing, limit), len(data.classes)
    with_all, counts = list[Integers](), {variant: list[Integers]() for variant in variants}
    moved, pixels = dict.fromkeys(variants, 0), 0
    for done, sample in enumerate(samples_at(data, places), 1):
        images = as_batch(sample.image, network.preprocessing, torch.device(network.device), least=least)
        theirs = None
        if other is not None:
            seen = as_batch(sample.image, other.preprocessing, torch.device(other.device), least=least)
            theirs = maps_of(look(other.model, seen), names)
        count = partial(_counts, labels=sample.labels, classes=classes)
        with torch.no_grad(), encoding_once(model):
            full = _labels(model, images, {}, sample.labels.shape)
            with_all.append(count(full))
            known = sample.labels < classes
            pixels += int(known.sum())
            for one, how in variants:
                edit = switch(model, one, how, other=theirs if how == "other" else None)
                predicted = _labels(model, images, edit, sample.labels.shape)
                counts[one, how].append(count(predicted))
                moved[one, how] += int((predicted != full)[known].sum())
        if on_picture is not None:
            on_picture(done, len(places))
    parts = class_parts(with_all)
    rows = [_worth(variant, class_parts(counts[variant]), parts, moved[variant], pixels) for variant in variants]
    ious = ious_of(parts.sum(0))
    return Ablation(data.classes, data.split, len(places), mean_present(ious), tuple(map(float, ious)), rows)


def single_changes(looked: Looked, other: Looked | None = None) -> Iterator[MapChange]:
    """What becomes of a picture without each map, off and even, and with that of another model where it has one that fits.

    One at a time is computed. Maps of pairs that are too large to be built are left out.

    Args:
        looked: The forward pass.
        other: That of another model over the same picture.
    """
    theirs = {} if other is None else {one.name: _shape(one) for one in other.found}
    with encoding_once(looked.model):
        for one in looked.found:
            if isinstance(one, Pairs) and not one.fits:
                continue
            for how in ("off", "even"):
                yield without(looked, [one.name], how)
            if other is not None and theirs.get(one.name) == _shape(one):
                with encoding_once(other.model):
                    yield without(looked, [one.name], "other", other=other)


def _shape(one: AttentionMap | Pairs) -> tuple[int, ...]:
    return one.cells if isinstance(one, Pairs) else tuple(one.weights.shape)


@contextmanager
def encoding_once(model: nn.Module) -> Iterator[None]:
    """Within the block, an encoder that gets the same images again gives the same maps without computing them.

    An encoder with attention maps of its own computes them anew.
    """
    with ExitStack() as stack:
        for encoder in model.modules():
            if not isinstance(encoder, Encoder) or "forward" in vars(encoder):  # an outer block keeps it
                continue
            if not any(isinstance(part, Tap) for part in encoder.modules()):
                encoder.forward = _Kept(encoder.forward)  # type: ignore[method-assign] # until the block ends
                stack.callback(delattr, encoder, "forward")
        yield


class _Kept:
    def __init__(self, forward: Callable[[Tensor], list[Tensor]]) -> None:
        self._forward = forward
        self._known: list[tuple[Tensor, list[Tensor]]] = []

    def __call__(self, images: Tensor) -> list[Tensor]:
        for seen, maps in self._known:
            if torch.equal(seen, images):
                return list(maps)
        maps = self._forward(images)
        self._known.append((images, maps))
        return list(maps)


def _labels(model: nn.Module, images: Tensor, edit: dict[str, Edit], shape: tuple[int, ...]) -> Array:
    with edited(model, edit):
        logits = logits_of(model(images), images)
    return logits[0, :, : shape[0], : shape[1]].argmax(0).to(torch.uint8).cpu().numpy()


def _counts(predicted: Array, labels: Array, classes: int) -> Integers:
    confusion = ConfusionMatrix(classes)
    confusion.update(predicted, labels)
    return confusion.counts.numpy()


def _worth(variant: Variant, parts: Integers, with_all: Integers, moved: int, pixels: int) -> Worth:
    ious = ious_of(parts.sum(0))
    if len(parts) > 1:
        worth, classes = paired_intervals(parts, with_all)
    else:
        full = ious_of(with_all.sum(0))
        ends = float("nan"), float("nan")
        worth = Interval(mean_present(full) - mean_present(ious), *ends)
        classes = [Interval(float(value), *ends) for value in full - ious]
    return Worth(*variant, mean_present(ious), worth, tuple(classes), moved / pixels if pixels else float("nan"))
