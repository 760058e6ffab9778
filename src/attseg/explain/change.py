"""One picture without some of a model's attention maps: which pixels and classes change, and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attseg.errors import UsageError
from attseg.explain.capture import capture, edited
from attseg.explain.looked import Looked
from attseg.explain.pixel import to_numpy
from attseg.explain.switching import How, find_maps, switch
from attseg.prediction.outputs import logits_of
from attseg.text import TextTable

Integers = npt.NDArray[np.int64]


class Move(NamedTuple):
    """Pixels that went from one class to another.

    Args:
        before: Index of their class with all maps.
        after: Their class without.
        pixels: How many.
    """

    before: int
    after: int
    pixels: int


@dataclass(frozen=True, eq=False)
class MapChange:
    """A prediction with all attention maps, and without some. ``without`` returns it.

    Args:
        maps: Names of the switched maps.
        how: How they were switched.
        before: (K, H, W) logits with all maps.
        after: (K, H, W) logits without.
    """

    maps: tuple[str, ...]
    how: How
    before: Tensor
    after: Tensor

    def __repr__(self) -> str:
        height, width = self.before.shape[1:]
        return f"MapChange({', '.join(self.maps)} {self.how}, {height} x {width}, {self.share:.1%} of pixels)"

    @cached_property
    def labels(self) -> npt.NDArray[np.uint8]:
        """(H, W) The class of each pixel without the maps."""
        return self.after.argmax(0).to(torch.uint8).cpu().numpy()

    @cached_property
    def changed(self) -> npt.NDArray[np.bool_]:
        """(H, W) Which pixels have another class."""
        return np.asarray((self.before.argmax(0) != self.after.argmax(0)).cpu())

    @property
    def share(self) -> float:
        """Share of the pixels that have another class."""
        return float(self.changed.mean())

    @cached_property
    def shift(self) -> npt.NDArray[np.float32]:
        """(H, W) Probability that moved from some classes to others, in 0..1: half the sum of absolute differences."""
        return to_numpy((self.before.softmax(0) - self.after.softmax(0)).abs().sum(0) / 2)

    @cached_property
    def counts(self) -> Integers:
        """(K, K) Pixels by their class with all maps (rows) and without (columns)."""
        k = len(self.before)
        both = self.before.argmax(0) * k + self.after.argmax(0)
        return np.asarray(torch.bincount(both.flatten(), minlength=k * k).view(k, k).cpu())

    @property
    def moves(self) -> list[Move]:
        """Where pixels went, the most pixels first."""
        rows, columns = np.nonzero(self.counts * (1 - np.eye(len(self.counts), dtype=np.int64)))
        moves = [
            Move(int(row), int(column), int(self.counts[row, column]))
            for row, column in zip(rows, columns, strict=True)
        ]
        return sorted(moves, key=lambda move: -move.pixels)

    def within(self, height: int, width: int) -> MapChange:
        """The same of the upper left part, where small pictures were continued before the network saw them."""
        return replace(self, before=self.before[:, :height, :width], after=self.after[:, :height, :width])

    def to_dict(self, names: Sequence[str]) -> dict[str, Any]:
        """As plain values.

        Args:
            names: Of the classes.
        """
        before, after, same = self.counts.sum(1), self.counts.sum(0), self.counts.diagonal()
        return {
            "maps": list(self.maps),
            "how": self.how,
            "pixels": int(self.counts.sum()),
            "changed": int(self.changed.sum()),
            "share": self.share,
            "probability_moved": float(self.shift.mean()),
            "classes": [
                {
                    "name": name,
                    "before": int(before[index]),
                    "after": int(after[index]),
                    "lost": int(before[index] - same[index]),
                    "gained": int(after[index] - same[index]),
                }
                for index, name in enumerate(names)
                if before[index] or after[index]
            ],
            "moves": [
                {"before": names[move.before], "after": names[move.after], "pixels": move.pixels} for move in self.moves
            ],
        }


@torch.no_grad()
def without(looked: Looked, names: Iterable[str], how: How = "off", *, other: Looked | None = None) -> MapChange:
    """Run a model once more without some of its attention maps.

    Args:
        looked: Its forward pass with all of them, from ``look`` or ``Result.looked``.
        names: Of maps, taps or mechanisms, as for ``find_maps``.
        how: ``off``, ``even``, or ``other``; ``attseg.explain.switching`` says what each means.
        other: For ``other``, the forward pass of another model of the same architecture over the same picture, whose maps take
            the place of this one's.

    Raises:
        UsageError: There is no such map; the other model lacks it, or has it in another shape.
        RuntimeError: The map of all pairs of positions would be too large; look at a smaller picture.

    Example:
        >>> from attseg.explain import look
        >>> from attseg.models import PAN
        >>> looked = look(PAN(3, encoder="resnet18").eval(), torch.zeros(1, 3, 64, 96))
        >>> without(looked, ["fpa", "gau"]).maps[:2]
        ('context.pyramid', 'decoder.steps.0.attention')
    """
    chosen = find_maps(looked.model, names)
    edit = switch(looked.model, chosen, how, other=None if other is None else maps_of(other, chosen))
    with edited(looked.model, edit):
        after = logits_of(looked.model(looked.images), looked.images)[0].float()
    return MapChange(tuple(chosen), how, looked.logits, after)


def maps_of(looked: Looked, names: Sequence[str]) -> dict[str, Tensor]:
    """Maps of a pass, by name; those of pairs are built."""
    try:
        find_maps(looked.model, names)
    except UsageError as error:
        raise UsageError(f"the other model has other maps: {error}") from None
    with capture(looked.model) as maps:
        looked.model(looked.images)
    return {one.name: one.weights for one in maps if one.name in names}


MOVES = 8
"""Moves between classes that are shown."""


def change_parts(change: MapChange, names: Sequence[str], title: str) -> Iterator[str | TextTable]:
    """The change in words and tables, for people.

    Args:
        change: What changed.
        names: Of the classes.
        title: What was done to what.
    """
    values = change.to_dict(names)
    total = values["pixels"]
    yield title
    yield (
        f"{values['changed']} of {total} pixels change class ({values['share']:.2%}); on average "
        f"{values['probability_moved']:.2%} of a pixel's probability moves\n"
    )
    rows = [
        (one["name"], *(f"{100 * one[when] / total:.2f}" for when in ("before", "after")), one["lost"], one["gained"])
        for one in values["classes"]
    ]
    yield TextTable(("class", "area % before", "area % after", "pixels lost", "pixels gained"), rows)
    if values["moves"]:
        yield ""
        yield TextTable(("from", "to", "pixels"), [tuple(move.values()) for move in values["moves"][:MOVES]])
