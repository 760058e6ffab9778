"""Options for the settings of records: ``--optim.lr`` for the key ``optim.lr``, and open ones like ``--model.args.encoder``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any, Literal, get_args, get_origin

from cyclopts import Group, Parameter, Token

from attseg.recipes.files import value_of
from attseg.recipes.values import Setting

Run = Callable[..., int]

SHORT = {"machine.log": ("--log",), "machine.device": ("--device",)}
"""Further names of options."""

_origin: Callable[[Any], Any] = get_origin


def with_settings(*groups: tuple[str, Iterable[Setting]]) -> Callable[[Run], Run]:
    """Adds an option for each setting to a verb, which gets as ``given`` those that were given, by dotted key.

    Args:
        groups: Title of a panel of the help, and the settings in it.
    """
    chosen = [(order, title, setting) for order, (title, settings) in enumerate(groups) for setting in settings]
    options: dict[str, Any] = {
        setting.key.replace(".", "__"): Annotated[
            dict[str, Any] if _origin(setting.hint) is dict else str,
            Parameter(
                name=(f"--{setting.key}", *SHORT.get(setting.key, ())),
                group=Group(title, sort_key=9 + order),
                help=setting.meaning,
                converter=_reader(setting),
                n_tokens=1,
                metavar=_metavar(setting),
                choices=setting.hint if _origin(setting.hint) is Literal else None,
            ),
        ]
        for order, title, setting in chosen
    }

    def decorate(function: Run) -> Run:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> int:
            found = [kwargs.pop(name) for name in options if name in kwargs]
            return function(*args, given={key: value for each in found for key, value in each.items()}, **kwargs)

        own = [each for each in inspect.signature(function).parameters.values() if each.name != "given"]
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)
            for name, hint in options.items()
        ]
        hints = {name: hint for name, hint in function.__annotations__.items() if name != "given"}
        run.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined] # functions may have any
        run.__annotations__ = hints | options
        opened = [f"--{setting.key}" for *_, setting in chosen if _origin(setting.hint) is dict]
        run.open_settings = opened  # type: ignore[attr-defined] # likewise
        return run

    return decorate


def keyed(arguments: Sequence[str], names: Sequence[str]) -> list[str]:
    """The arguments with ``--model.args.*`` for ``--model.args``, so that a whole mapping may stand beside its keys.

    Example:
        >>> keyed(["--model.args={a: 1}", "--model.args.b", "2"], ["--model.args"])
        ['--model.args.*={a: 1}', '--model.args.b', '2']
    """
    parts = (argument.partition("=") for argument in arguments)
    return [
        f"{option}.*{equals}{value}" if option in names else option + equals + value for option, equals, value in parts
    ]


def _reader(setting: Setting) -> Callable[[Any, Any], dict[str, Any]]:
    """The function that turns tokens of a setting into values; below an open mapping, cyclopts nests them by their keys."""

    def read(_: Any, tokens: Sequence[Token] | Mapping[str, Any]) -> dict[str, Any]:
        return dict(_values(setting.key, tokens, setting.hint))

    return read


def _values(key: str, tokens: Sequence[Token] | Mapping[str, Any], hint: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(tokens, Mapping):
        yield key, value_of(tokens[-1].value, hint)
        return
    for name, part in sorted(tokens.items(), key=lambda item: item[0] != "*"):
        if name == "*":
            yield key, value_of(part[-1].value, hint)
            continue
        yield from _values(f"{key}.{name}", part, get_args(hint)[1] if _origin(hint) is dict else Any)


def _metavar(setting: Setting) -> str:
    """The placeholder of the value in help."""
    hint, origin = setting.hint, _origin(setting.hint)
    if origin is tuple:
        return "A,B,.." if get_args(hint)[-1] is ... else "HEIGHT,WIDTH" if setting.key.endswith("size") else "A,B"
    names: dict[Any, str] = {dict: "{NAME: VALUE}", bool: "{true,false}", int: "N", float: "X", Literal: "NAME"}
    return names.get(origin or hint, "TEXT")
