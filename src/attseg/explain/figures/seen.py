"""Input of a figure, and the attention maps that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from attseg.data.classes import ClassTable
from attseg.data.sample import Array
from attseg.errors import UsageError
from attseg.explain.capture import AttentionMap
from attseg.explain.looked import Looked
from attseg.explain.pixel import cells_of, to_numpy

Floats = npt.NDArray[np.float32]


class Seen(Protocol):
    """A picture and what a model made of it; ``attseg.Result`` is one."""

    @property
    def image(self) -> Array:
        """(H, W, 3) the picture."""
        ...

    @property
    def labels(self) -> Array:
        """(H, W) the predicted class of each pixel."""
        ...

    @property
    def classes(self) -> ClassTable:
        """Names and colours of the classes."""
        ...

    @property
    def looked(self) -> Looked:
        """The attention maps of the whole picture."""
        ...


@dataclass(frozen=True, eq=False)
class Pictured:
    """A picture and what a model made of it, of one forward pass: a ``Seen`` without all that a ``Result`` can do."""

    image: Array
    labels: Array
    classes: ClassTable
    looked: Looked
    truth: Array | None = None
    """(H, W) the labels, where there are any."""
    name: str = ""


def find_maps(seen: Seen, what: str, mechanisms: tuple[str, ...], having: str) -> list[AttentionMap]:
    """The maps of some mechanisms, in the order of the forward pass.

    Args:
        seen: The picture.
        what: What the figure shows, for the message.
        mechanisms: Names of what the maps come from; see ``Tap``.
        having: Models that have them, for the message.

    Raises:
        UsageError: The model has none of them.
    """
    found = [one for one in seen.looked.found if isinstance(one, AttentionMap) and one.mechanism in mechanisms]
    if not found:
        raise missing(seen, what, having)
    return found


def missing(seen: Seen, what: str, having: str) -> UsageError:
    """The error for a model without the maps that a figure needs."""
    others = dict.fromkeys(one.mechanism for one in seen.looked.found)
    has = f"its attention is {', '.join(others)}" if others else "it has no attention at all"
    return UsageError(f"this {type(seen.looked.model).__name__} has no {what}: {has}. Take {having}")


def on_picture(weights: Tensor, seen: Seen) -> Floats:
    """Maps (C, h, w) of what the network saw as values of the picture's pixels (C, H, W), each that of the cell it lies in."""
    values = to_numpy(weights)
    height, width = seen.labels.shape
    rows, columns = cells_of((height, width), seen.looked.size, (values.shape[1], values.shape[2]))
    return values[:, rows[:, None], columns]


def present(seen: Seen, most: int, *, labelled: bool = False) -> list[int]:
    """The classes that were predicted, those with the largest areas first; with ``labelled``, those of the labels too."""
    truth = getattr(seen, "truth", None) if labelled else None
    shown = seen.labels.ravel() if truth is None else np.concatenate([seen.labels.ravel(), truth.ravel()])
    areas = np.bincount(shown, minlength=len(seen.classes))[: len(seen.classes)]
    order = np.argsort(-areas, kind="stable")
    return [int(index) for index in order[:most] if areas[index]]


def means_by_class(values: Floats, labels: Array, classes: list[int]) -> Floats:
    """(C, classes) The mean of each map (C, H, W) over the pixels of each class, all of which occur."""
    return np.stack([values[:, labels == index].mean(1) for index in classes], 1)
