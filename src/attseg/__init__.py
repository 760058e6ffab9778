"""Semantic segmentation with attention that you can train, measure, look into, and ship.

    image -> data -> encoder -> context -> decoder -> logits -> loss            training
                                   |           |         +-----> metric          evaluation
                                   +--- taps --+--> capture -> explain           looking

The public names below are imported when they are first used, so that ``import attseg`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.api.measure import evaluate
    from attseg.api.save import save
    from attseg.api.train import train
    from attseg.data.catalog import open_data
    from attseg.data.classes import ClassTable
    from attseg.data.importing.job import import_data
    from attseg.data.preprocessing import Preprocessing
    from attseg.data.sample import Sample
    from attseg.data.wrapped import WrappedData
    from attseg.explain.capture import AttentionMap, capture
    from attseg.inference.result import Result
    from attseg.inference.segmenter import Segmenter, load
    from attseg.metrics import ConfusionMatrix
    from attseg.models.dfdam import DFDAM
    from attseg.models.fcn import FCN
    from attseg.models.frame import Segmentation
    from attseg.models.pan import PAN
    from attseg.models.psanet import PSANet
    from attseg.models.refine import AttentionToRefine
    from attseg.recipes.recipe import Machine, Recipe
    from attseg.training.callbacks import Callback

__version__ = "0.1.0"

__all__ = [
    "DFDAM",
    "FCN",
    "PAN",
    "AttentionMap",
    "AttentionToRefine",
    "Callback",
    "ClassTable",
    "ConfusionMatrix",
    "Machine",
    "PSANet",
    "Preprocessing",
    "Recipe",
    "Result",
    "Sample",
    "Segmentation",
    "Segmenter",
    "WrappedData",
    "capture",
    "evaluate",
    "import_data",
    "load",
    "open_data",
    "save",
    "train",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.api.measure": "evaluate",
        "attseg.api.save": "save",
        "attseg.api.train": "train",
        "attseg.data.catalog": "open_data",
        "attseg.data.classes": "ClassTable",
        "attseg.data.importing.job": "import_data",
        "attseg.data.preprocessing": "Preprocessing",
        "attseg.data.sample": "Sample",
        "attseg.data.wrapped": "WrappedData",
        "attseg.explain.capture": "AttentionMap capture",
        "attseg.inference.result": "Result",
        "attseg.inference.segmenter": "Segmenter load",
        "attseg.metrics": "ConfusionMatrix",
        "attseg.models.dfdam": "DFDAM",
        "attseg.models.fcn": "FCN",
        "attseg.models.frame": "Segmentation",
        "attseg.models.pan": "PAN",
        "attseg.models.psanet": "PSANet",
        "attseg.models.refine": "AttentionToRefine",
        "attseg.recipes.recipe": "Machine Recipe",
        "attseg.training.callbacks": "Callback",
    },
)
