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
    from attseg.api.measure import evaluate as evaluate
    from attseg.api.save import save as save
    from attseg.api.train import train as train
    from attseg.data.catalog import open_data as open_data
    from attseg.data.classes import ClassTable as ClassTable
    from attseg.data.importing.job import import_data as import_data
    from attseg.data.preprocessing import Preprocessing as Preprocessing
    from attseg.data.sample import Sample as Sample
    from attseg.data.wrapped import WrappedData as WrappedData
    from attseg.explain.capture import AttentionMap as AttentionMap
    from attseg.explain.capture import capture as capture
    from attseg.inference.result import Result as Result
    from attseg.inference.segmenter import Segmenter as Segmenter
    from attseg.inference.segmenter import load as load
    from attseg.metrics import ConfusionMatrix as ConfusionMatrix
    from attseg.models.dfdam import DFDAM as DFDAM
    from attseg.models.fcn import FCN as FCN
    from attseg.models.frame import Segmentation as Segmentation
    from attseg.models.pan import PAN as PAN
    from attseg.models.psanet import PSANet as PSANet
    from attseg.models.refine import AttentionToRefine as AttentionToRefine
    from attseg.recipes.recipe import Machine as Machine
    from attseg.recipes.recipe import Recipe as Recipe
    from attseg.training.callbacks import Callback as Callback

__version__ = "0.1.0"

__getattr__, __dir__ = lazy(__name__)
