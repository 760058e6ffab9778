"""Nested plain values, and others put in their place: one by one under dotted keys, or many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = dict[str, Any]


def put(values: Mapping[str, Any], given: Mapping[str, Any]) -> Values:
    """Nested values with some replaced, each by its dotted key.

    Example:
        >>> put({"optim": {"lr": 1.0, "clip": 0.0}}, {"optim.lr": 0.5, "model.args.encoder": "resnet18"})
        {'optim': {'lr': 0.5, 'clip': 0.0}, 'model': {'args': {'encoder': 'resnet18'}}}
    """
    result = merge({}, values)
    for key, value in given.items():
        *parents, name = key.split(".")
        place = result
        for parent in parents:
            if not isinstance(place.get(parent), dict):
                place[parent] = {}
            place = place[parent]
        place[name] = value
    return result


def merge(values: Mapping[str, Any], over: Mapping[str, Any]) -> Values:
    """Nested values with those of ``over`` instead, wherever it has one.

    Example:
        >>> merge({"optim": {"lr": 1.0, "clip": 0.0}}, {"optim": {"lr": 0.5}})
        {'optim': {'lr': 0.5, 'clip': 0.0}}
    """
    result = dict(values)
    for name, value in over.items():
        if isinstance(value, dict):
            before = result.get(name)
            result[name] = merge(before if isinstance(before, dict) else {}, value)
        else:
            result[name] = value
    return result


def flat(values: Mapping[str, Any], at: str = "") -> Values:
    """Nested mappings as one, with dotted keys.

    Example:
        >>> flat({"optim": {"lr": 0.1}, "steps": 3})
        {'optim.lr': 0.1, 'steps': 3}
    """
    result: Values = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            result |= flat(value, f"{at}{name}.")
        else:
            result[f"{at}{name}"] = value
    return result


def section(given: Mapping[str, Any], name: str) -> Values:
    """The values below a dotted name, nested, without it.

    Example:
        >>> section({"data.name": "scenes", "data.options.size": [64, 64], "seed": 1}, "data")
        {'name': 'scenes', 'options': {'size': [64, 64]}}
    """
    return put({}, {key.removeprefix(f"{name}."): value for key, value in given.items() if key.startswith(f"{name}.")})
