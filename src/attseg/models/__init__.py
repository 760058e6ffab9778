"""One file a paper, over one ``frame``; the constructor arguments are the rows of the paper's tables."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from attseg.errors import unknown
from attseg.models.fcn import FCN
from attseg.models.frame import Segmentation, SegmentationModel
from attseg.models.pan import PAN

__all__ = ["FCN", "MODELS", "PAN", "Segmentation", "SegmentationModel", "build_model"]

MODELS: dict[str, type[PAN] | type[FCN]] = {"PAN": PAN, "FCN": FCN}


def build_model(name: str, args: Mapping[str, Any], num_classes: int) -> SegmentationModel:
    """The model that a recipe or a checkpoint names.

    Args:
        name: Key of ``MODELS``.
        args: Keyword arguments of its constructor, all but ``num_classes``.
        num_classes: Classes K.

    Raises:
        UsageError: There is no such model or argument, or a value does not fit.
    """
    if name not in MODELS:
        raise unknown("model", name, MODELS)
    known = list(inspect.signature(MODELS[name]).parameters)[1:]
    for given in args:
        if given not in known:
            raise unknown(f"argument of {name}", given, known)
    return MODELS[name](num_classes, **args)
