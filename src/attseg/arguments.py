"""Plain values checked against the signature of what they are for: names first, then types as far as these are plain."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from attseg.errors import UsageError, unknown

LONGEST = 200
"""Characters of a value in a message."""


def check_arguments(
    what: str, function: Callable[..., Any], args: Mapping[str, Any], *, without: Collection[str] = (), hint: str = ""
) -> None:
    """Refuse keyword arguments that a function does not have, or that have another type.

    Args:
        what: Name of the function in messages.
        function: A class or a function with annotations.
        args: Keyword arguments.
        without: Parameters that may not be given.
        hint: Further sentence for a value of another type.

    Raises:
        UsageError: There is no such argument, or a value does not fit.
    """
    parameters = inspect.signature(function, eval_str=True).parameters
    known = [name for name in parameters if name not in without]
    for given, value in args.items():
        if given not in known:
            if not known:
                raise UsageError(f"{what} has no options, and {given!r} was given; leave it out")
            raise unknown(f"argument of {what}", given, known)
        expected = parameters[given].annotation
        if not _fits(value, expected):
            if isinstance(value, str) and (names := _names(expected)):
                raise unknown(given, value, names)
            raise UsageError(f"{given} of {what} is {cut_value(value)}, which it does not take{hint}")


class InertOption(UsageError):
    """An option that does nothing in a combination.

    Args:
        message: What was given, why it does nothing, and what to do.
        path: Keys under which the option lies, outermost first.
    """

    def __init__(self, message: str, path: tuple[str, ...]) -> None:
        super().__init__(message)
        self.path = path

    def below(self, key: str) -> InertOption:
        """The same of arguments that lie under a key."""
        return InertOption(str(self), (key, *self.path))

    def without(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments without the option."""
        return _without(args, self.path)


def refuse_inert(function: Callable[..., Any], given: Mapping[str, Any], *, beside: str, needs: str) -> None:
    """Refuse options that do nothing, unless they have their defaults.

    Args:
        function: The function whose options they are.
        given: Values of the options by name.
        beside: The argument that makes them do nothing, as it was given.
        needs: The arguments with which they do something.

    Raises:
        InertOption: One of them was given.
    """
    parameters = inspect.signature(function).parameters
    for name, value in given.items():
        default = parameters[name].default
        same = (
            tuple(value) == tuple(default)
            if isinstance(value, list | tuple) and default is not None
            else value == default
        )
        if not same:
            raise InertOption(
                f"{name}={cut_value(value)} does nothing beside {beside}; leave it out, or take {needs}", (name,)
            )


def _without(args: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    key, *rest = path
    if rest:
        return {**args, key: _without(args[key], tuple(rest))}
    return {name: value for name, value in args.items() if name != key}


def cut_value(value: Any) -> str:
    """A value for a message, not too long."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}.."


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
