"""One file a paper, over one ``frame``; the constructor arguments are the rows of the paper's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attseg.models.dfdam import DFDAM
from attseg.models.fcn import FCN
from attseg.models.frame import Segmentation, SegmentationModel
from attseg.models.named import NETWORKS, build
from attseg.models.pan import PAN
from attseg.models.psanet import PSANet
from attseg.models.refine import AttentionToRefine

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
    "build_model",
]

Model = SegmentationModel | AttentionToRefine
"""Any model: a network, or one that runs at several image scales."""

MODELS: dict[str, type[SegmentationModel] | type[AttentionToRefine]] = {
    **NETWORKS,
    "AttentionToRefine": AttentionToRefine,
}


def build_model(name: str, args: Mapping[str, Any], num_classes: int) -> Model:
    """The model that a recipe or a checkpoint names.

    Args:
        name: Key of ``MODELS``.
        args: Keyword arguments of its constructor, all but ``num_classes``.
        num_classes: Classes K.

    Raises:
        UsageError: There is no such model or argument, or a value does not fit.
    """
    models: Mapping[str, Callable[..., Model]] = MODELS
    return build(models, name, args, num_classes)
