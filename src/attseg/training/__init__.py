"""From a recipe to a run folder. Lightning is imported in this package and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.training.callbacks import Callback
    from attseg.training.first_weights import model_of
    from attseg.training.run import train

__all__ = [
    "Callback",
    "model_of",
    "train",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.training.callbacks": "Callback",
        "attseg.training.first_weights": "model_of",
        "attseg.training.run": "train",
    },
)
