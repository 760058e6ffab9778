"""One file a paper, over one ``frame``; the constructor arguments are the rows of the paper's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.models.build import MODELS, Model, build_model
    from attseg.models.dfdam import DFDAM
    from attseg.models.fcn import FCN
    from attseg.models.frame import Segmentation, SegmentationModel
    from attseg.models.pan import PAN
    from attseg.models.psanet import PSANet
    from attseg.models.refine import AttentionToRefine
    from attseg.models.staged import StagedModel

__all__ = [
    "DFDAM",
    "FCN",
    "MODELS",
    "PAN",
    "AttentionToRefine",
    "Model",
    "PSANet",
    "Segmentation",
    "SegmentationModel",
    "StagedModel",
    "build_model",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.models.build": "MODELS Model build_model",
        "attseg.models.dfdam": "DFDAM",
        "attseg.models.fcn": "FCN",
        "attseg.models.frame": "Segmentation SegmentationModel",
        "attseg.models.pan": "PAN",
        "attseg.models.psanet": "PSANet",
        "attseg.models.refine": "AttentionToRefine",
        "attseg.models.staged": "StagedModel",
    },
)
