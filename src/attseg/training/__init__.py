"""From a recipe to a run folder. Lightning is imported in this package and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.training.run import train

__all__ = [
    "train",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.training.run": "train",
    },
)
