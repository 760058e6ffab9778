"""The networks that stand on their own, by name, and how one is built from plain values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from attseg.errors import UsageError, unknown
from attseg.models.dfdam import DFDAM
from attseg.models.fcn import FCN
from attseg.models.frame import SegmentationModel
from attseg.models.pan import PAN
from attseg.models.psanet import PSANet

Built = TypeVar("Built")

LONGEST = 200
"""Characters of a value in a message."""

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
    parameters = inspect.signature(models[name], eval_str=True).parameters
    known = list(parameters)[1:]
    for given, value in args.items():
        if given not in known:
            raise unknown(f"argument of {name}", given, known)
        hint = parameters[given].annotation
        if not _fits(value, hint):
            if isinstance(value, str) and (names := _names(hint)):
                raise unknown(given, value, names)
            raise UsageError(
                f"{given} of {name} is {_cut(value)}, which it does not take; `attseg models {name}` lists what it does"
            )
    try:
        return models[name](num_classes, **args)
    except UsageError:
        raise
    except (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise UsageError(f"{name} cannot be built with {_cut(dict(args))}: {error}") from error


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the type of its place, as far as plain values go."""
    origin: Any = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in get_args(hint))
    if origin in (Sequence, list, tuple):
        return isinstance(value, list | tuple) and all(_fits(part, get_args(hint)[0]) for part in value)
    if origin is Mapping:
        return isinstance(value, Mapping)
    if hint in (int, float):
        return isinstance(value, int | float if hint is float else int) and not isinstance(value, bool)
    return isinstance(value, NoneType if hint is None else hint)


def _names(hint: Any) -> list[str]:
    """The strings that a place takes, where it takes certain ones alone."""
    if get_origin(hint) is Literal:
        return [one for one in get_args(hint) if isinstance(one, str)]
    return [name for one in get_args(hint) for name in _names(one)]


def _cut(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}.."
