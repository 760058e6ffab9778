"""What every data set yields: one picture with its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from attseg.data.classes import ClassTable

Array = npt.NDArray[np.uint8]


class DataError(ValueError):
    """A data set, or one of its files, is not as it must be; the message says which, how, and what to do."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture, its labels and its name, as read: before any transform.

    Args:
        image: (H, W, 3) red, green, blue in 0..255.
        labels: (H, W) classes 0..K-1, and 255 where ignored.
        name: What identifies the sample in its data set, with ``/`` between folders and without a suffix.
        probes: Boolean (H, W) masks by name, of the pixels that test one difficulty; only generated data has them.
    """

    image: Array
    labels: Array
    name: str
    probes: Mapping[str, npt.NDArray[np.bool_]] | None = None


class SegmentationData(Protocol):
    """A split of a data set: samples by index, and the table of their classes.

    Reading is a pure function of the index, so that any number of worker processes sees the same samples.
    """

    classes: ClassTable
    split: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def name(self, index: int) -> str:
        """The name of a sample without reading it."""
        ...
