"""The networks that stand on their own, by name, and how one is built from plain values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attseg.arguments import check_arguments, cut_value
from attseg.errors import UsageError, unknown
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
    if not isinstance(name, str) or name not in models:
        raise unknown("model", str(name), models)
    first = next(iter(inspect.signature(models[name]).parameters))
    hint = f"; `attseg models {name}` lists what it does"
    check_arguments(name, models[name], args, without=(first,), hint=hint)
    try:
        return models[name](num_classes, **args)
    except UsageError:
        raise
    except (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise UsageError(f"{name} cannot be built with {cut_value(dict(args))}: {error}") from error
