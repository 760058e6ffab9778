"""Every model by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attseg.models.frame import SegmentationModel
from attseg.models.named import NETWORKS, build
from attseg.models.refine import AttentionToRefine

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
