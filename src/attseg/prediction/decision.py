"""From probabilities to classes otherwise than by the arg-max: thresholds, pixels without a class, and small regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attseg.data.classes import IGNORE, MAX_VALUE, ClassTable
from attseg.data.regions import absorb_small, find_regions
from attseg.data.sample import Array
from attseg.errors import UsageError, unknown

Small = Literal["fill", "drop"]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """How classes are made of probabilities. Without arguments it is the arg-max.

    Args:
        thresholds: For classes by name, the least probability: a pixel gets such a class where its probability is at least that,
            even if another class has a higher one, and nowhere else. Of several, the most probable one counts; all other pixels
            get the most probable class without a threshold, or are not sure where all classes have one.
        unsure_below: Pixels whose class has a lower probability are not sure.
        min_region: Least pixels of a region of one class; corners connect.
        small: What smaller regions become: the neighbour with the longest border (``fill``), or not sure (``drop``).

    Raises:
        UsageError: A value that makes no sense.

    Example:
        >>> decision = Decision(thresholds={"crack": 0.3}, unsure_below=0.5)
        >>> probabilities = torch.tensor([[0.65, 0.55, 0.45], [0.35, 0.25, 0.2], [0.0, 0.2, 0.35]])[:, None]
        >>> table = ClassTable(("road", "crack", "grass"), ((0, 0, 0),) * 3)
        >>> Decision(thresholds={"crack": 0.3}).choose(probabilities, table)[0].tolist()
        [[1, 0, 0]]
        >>> Decision(unsure_below=0.5).choose(probabilities, table)[0].tolist()
        [[0, 0, 255]]
    """

    thresholds: Mapping[str, float] = field(default_factory=dict)
    unsure_below: float = 0.0
    min_region: int = 0
    small: Small = "fill"

    def __post_init__(self) -> None:
        for name, value in self.thresholds.items():
            if not 0 < value < 1:
                raise UsageError(f"the threshold of {name!r} is {value:g}; a probability between 0 and 1 was expected")
        if not 0 <= self.unsure_below < 1:
            raise UsageError(f"unsure_below is {self.unsure_below:g}; a probability from 0 to below 1 was expected")
        if self.min_region < 0:
            raise UsageError(f"min_region is {self.min_region}; a number of pixels from 0 on was expected")
        if self.small not in get_args(Small):
            raise unknown("way to treat small regions", self.small, get_args(Small))

    @property
    def needs_probabilities(self) -> bool:
        """Whether the arg-max alone is not enough."""
        return bool(self.thresholds or self.unsure_below)

    @property
    def leaves_unsure(self) -> bool:
        """Whether pixels may be left without a class."""
        return bool(self.thresholds or self.unsure_below or (self.min_region > 1 and self.small == "drop"))

    def check(self, classes: ClassTable) -> None:
        """Refuse thresholds of classes that are not there.

        Raises:
            UsageError: The message names the nearest class.
        """
        for name in self.thresholds:
            if name not in classes.names:
                raise unknown("class", name, classes.names)

    def choose(self, probabilities: Tensor, classes: ClassTable) -> tuple[Array, npt.NDArray[np.float32]]:
        """Classes (H, W) of probabilities (K, H, W), 255 where not sure, and the probability of each pixel's class.

        Where a pixel is not sure it is the highest probability. Regions are not looked at.
        """
        if not self.thresholds:
            best, labels = probabilities.max(dim=0)
        else:
            least = torch.tensor(
                [self.thresholds.get(name, 0.0) for name in classes.names], device=probabilities.device
            ).view(-1, 1, 1)
            chosen = least > 0
            reached = (probabilities >= least) & chosen
            open_ = torch.where(reached.any(dim=0), reached, ~chosen)  # the classes among which each pixel chooses
            best, labels = torch.where(open_, probabilities, -1.0).max(dim=0)
        labels = torch.where((best < 0) | (best < self.unsure_below), IGNORE, labels)
        scores = torch.where(labels == IGNORE, probabilities.amax(dim=0), best)
        return labels.byte().cpu().numpy(), scores.cpu().numpy()

    def clean(self, labels: Array) -> Array:
        """(H, W) The same without small regions."""
        if self.min_region < 2:
            return labels
        if self.small == "fill":
            return absorb_small(labels, self.min_region, ignore=IGNORE)
        regions = find_regions(labels)
        return np.where((regions.areas < self.min_region)[regions.ids], np.uint8(IGNORE), labels)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"thresholds": dict(self.thresholds)}


ARGMAX = Decision()


def with_unsure_value(classes: ClassTable, value: int | None) -> ClassTable:
    """A class table whose label files have a value for pixels that are not sure.

    Args:
        classes: The table.
        value: The value; None takes the one that the data set ignores, mostly 255.

    Raises:
        UsageError: The value means a class, does not fit into 16 bits, or there is none.
    """
    if value is None:
        if classes.ignored_value is None:
            raise UsageError(
                "label files of this data set have no value for ignored pixels, and 255 means a class; say with --unsure-value "
                "which value pixels that are not sure get"
            )
        return classes
    if not 0 <= value <= MAX_VALUE:
        raise UsageError(
            f"the value for pixels that are not sure is {value}; a number from 0 to {MAX_VALUE} was expected"
        )
    if value in classes.values:
        name = classes.names[classes.values.tolist().index(value)]
        raise UsageError(f"the value {value} means {name!r} in label files; pixels that are not sure need another one")
    means = {raw: place for place, raw in enumerate(classes.values.tolist())}
    return replace(classes, raw_to_train=means | {value: IGNORE})
