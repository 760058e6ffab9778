"""The networks that stand on their own, by name, and how one is built from plain values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attseg.errors import unknown
from attseg.models.dfdam import DFDAM
from attseg.models.fcn import FCN
from attseg.models.frame import SegmentationModel
from attseg.models.pan import PAN
from attseg.models.psanet import PSANet

Built = TypeVar("Built")

NETWORKS: dict[str, type[SegmentationModel]] = {
    "PAN": PAN,
    "PSANet": PSANet,
    "DFDAM": DFDAM,
    "FCN": FCN,
}
"""Every model but the one that wraps another."""


def build(models: Mapping[str, Callable[..., Built]], name: str, args: Mapping[str, Any], num_classes: int) -> Built:
    """One of ``models`` by its name.

    Args:
        models: Classes by name; their first argument is the number of classes.
        name: Key of ``models``.
        args: Keyword arguments of the constructor, all but ``num_classes``.
        num_classes: Classes K.

    Raises:
        UsageError: There is no such model or argument, or a value does not fit.
    """
    if name not in models:
        raise unknown("model", name, models)
    known = list(inspect.signature(models[name]).parameters)[1:]
    for given in args:
        if given not in known:
            raise unknown(f"argument of {name}", given, known)
    return models[name](num_classes, **args)
