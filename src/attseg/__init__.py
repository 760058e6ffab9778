"""Semantic segmentation with attention that you can train, measure, look into, and ship.

    image -> data -> encoder -> context -> decoder -> logits -> loss            training
                                   |           |         +-----> metric          evaluation
                                   +--- taps --+--> capture -> explain           looking

The public names below are imported when they are first used, so that ``import attseg`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "AttentionMap": "attseg.explain.capture",
    "AttentionToRefine": "attseg.models.refine",
    "ConfusionMatrix": "attseg.metrics",
    "DFDAM": "attseg.models.dfdam",
    "FCN": "attseg.models.fcn",
    "PAN": "attseg.models.pan",
    "PSANet": "attseg.models.psanet",
    "Result": "attseg.inference.result",
    "Segmentation": "attseg.models.frame",
    "Segmenter": "attseg.inference.segmenter",
    "capture": "attseg.explain.capture",
    "load": "attseg.inference.segmenter",
}

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
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'attseg' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
