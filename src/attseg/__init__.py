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
    from attseg.data.importing.job import import_data
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

__version__ = "0.1.0"

__all__ = [
    "DFDAM",
    "FCN",
    "PAN",
    "AttentionMap",
    "AttentionToRefine",
    "ConfusionMatrix",
    "PSANet",
    "Result",
    "Segmentation",
    "Segmenter",
    "capture",
    "import_data",
    "load",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.data.importing.job": "import_data",
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
    },
)
