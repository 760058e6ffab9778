"""From a recipe to a run folder. Lightning is imported in this package and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.training.callbacks import Callback as Callback
    from attseg.training.first_weights import model_of as model_of
    from attseg.training.run import train as train

__getattr__, __dir__ = lazy(__name__)
