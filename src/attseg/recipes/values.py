"""Records as plain values and back: what YAML files and the command line say, checked against the types of the records."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from attseg.errors import UsageError, unknown

Record = TypeVar("Record")
Hint = Any

LARGEST = 2**63 - 1
"""Whole numbers have 64 bits: PyTorch takes no others for a seed or a size, and a count of steps has to be divisible."""


def to_values(record: Any) -> dict[str, Any]:
    """A record as nested dicts, lists, numbers, texts, booleans and None.

    Example:
        >>> from attseg.recipes.recipe import AugmentSpec
        >>> to_values(AugmentSpec())["scale"]
        [0.5, 2.0]
    """
    return {field.name: _to_value(getattr(record, field.name)) for field in fields(record)}


def from_values(record: type[Record], values: Any, at: str = "") -> Record:
    """The record that ``values`` describe; what they leave out has its default.

    Args:
        record: A dataclass; its annotations say what is accepted. Lists become tuples, also in mappings of any content.
        values: As from ``to_values``.
        at: Dotted key of the record within a larger one, for messages.

    Raises:
        UsageError: A key that does not exist, is missing, or has a value of another type.

    Example:
        >>> from attseg.recipes.recipe import OptimSpec
        >>> from_values(OptimSpec, {"lr": 0.5}, "optim").lr
        0.5
        >>> from_values(OptimSpec, {"lr": "fast"}, "optim")
        Traceback (most recent call last):
        ...
        attseg.errors.UsageError: optim.lr is 'fast'; a number was expected
    """
    if not isinstance(values, Mapping):
        raise UsageError(f"{at or record.__name__} is {values!r}; a mapping of names to values was expected")
    hints = get_type_hints(record)
    for name in values:
        if name not in hints:
            raise unknown("setting", _join(at, str(name)), [_join(at, known) for known in hints])
    for field in fields(record):  # type: ignore[arg-type] # always a dataclass
        if field.default is MISSING and field.default_factory is MISSING and field.name not in values:
            raise UsageError(f"{_join(at, field.name)} is missing; {expected(hints[field.name])} was expected")
    return record(**{name: _convert(value, hints[name], _join(at, name)) for name, value in values.items()})


@dataclass(frozen=True)
class Setting:
    """One value of a record: its dotted key, its type, its default (None where it must be given) and what it means."""

    key: str
    hint: Hint
    default: Any
    meaning: str


def settings(record: type, at: str = "") -> Iterator[Setting]:
    """Every value of a record and of the records within it, in order; meanings come from the docstrings.

    Example:
        >>> from attseg.recipes.recipe import Recipe
        >>> next(setting for setting in settings(Recipe) if setting.key == "data.val").meaning
        'Split to evaluate on during and after training.'
    """
    hints, meanings = get_type_hints(record), argument_docs(record)
    for field in fields(record):
        key, hint = _join(at, field.name), hints[field.name]
        if _is_record(hint):
            yield from settings(hint, key)
        else:
            default = field.default_factory() if field.default_factory is not MISSING else field.default
            yield Setting(key, hint, None if default is MISSING else default, meanings.get(field.name, ""))


def argument_docs(documented: type) -> dict[str, str]:
    """Descriptions of the arguments from the ``Args`` section of a class's docstring, each on one line."""
    lines = (inspect.getdoc(documented) or "").partition("\nArgs:\n")[2].splitlines()
    docs: dict[str, str] = {}
    name = ""
    for line in lines:
        if line and not line.startswith(" "):
            break
        if start := re.match(r" {4}(\w+): (.*)", line):
            name = start[1]
            docs[name] = start[2]
        elif name and line.strip():
            docs[name] += f" {line.strip()}"
    return {name: text.replace("``", "") for name, text in docs.items()}


def describe_class(documented: type) -> dict[str, Any]:
    """First line, paper and options of a class as plain values, from its docstrings and signature."""
    meanings, hints = argument_docs(documented), get_type_hints(vars(documented)["__init__"])
    options = {
        name: {
            "default": parameter.default,
            "choices": get_args(hints[name]) if get_origin(hints[name]) is Literal else None,
            "about": meanings.get(name, ""),
        }
        for name, parameter in inspect.signature(documented).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return {"about": first_line(documented), "paper": first_line(inspect.getmodule(documented)), "options": options}


def first_line(documented: object) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def expected(hint: Hint) -> str:
    """The values that a type accepts, in words for a message."""
    origin: Any = get_origin(hint)
    args = get_args(hint)
    if origin is Literal:
        return f"one of {', '.join(args)}"
    if origin is tuple:
        count = "any number of" if args[-1] is ... else len(args)
        if get_origin(args[0]) is Literal:
            return f"a list of {', '.join(get_args(args[0]))}"
        return f"a list of {count} {'whole numbers' if args[0] is int else 'numbers'}"
    if origin is dict:
        return f"a mapping of names to {'numbers' if args[1] is float else 'values'}, such as {{name: 1}},"
    if _is_record(hint):
        return "a mapping of names to values"
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[hint]


def _convert(value: Any, hint: Hint, at: str) -> Any:
    """A plain value as the type of its place."""
    if hint is Any:
        return _plain(value, at)
    if _is_record(hint):
        return from_values(hint, value, at)
    if NoneType in get_args(hint):
        return None if value is None else _convert(value, get_args(hint)[0], at)
    fitting = _fit(value, hint, at)
    if fitting is None:
        quote = "; put it between quotes" if hint is str and isinstance(value, int | float) else ""
        bits = ", of at most 64 bits" if hint is int and isinstance(value, int | float) and value == value // 1 else ""
        raise UsageError(f"{at} is {value!r}; {expected(hint)} was expected{bits}{quote}{_repeated(value, hint)}")
    return fitting


def _repeated(value: Any, hint: Hint) -> str:
    """Of one number where several are expected, such as a side of a crop: the number so many times."""
    origin: Any = get_origin(hint)
    args = get_args(hint)
    if origin is not tuple or args[-1] is ... or not isinstance(value, list | tuple) or len(value) != 1:
        return ""
    return f", such as {','.join(map(str, list(value) * len(args)))}"


def _fit(value: Any, hint: Hint, at: str) -> Any:
    """The value in its type, or None where it does not fit."""
    origin: Any = get_origin(hint)
    args = get_args(hint)
    if origin is Literal:
        return str(value) if str(value) in args and not isinstance(value, bool) else None
    if origin is tuple:
        if not isinstance(value, list | tuple) or (args[-1] is not ... and len(value) != len(args)):
            return None
        return tuple(_convert(part, args[0], f"{at}[{index}]") for index, part in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            return None
        return {name: _convert(part, args[1], _join(at, name)) for name, part in value.items()}
    if hint in (int, float):
        return _number(value, hint)
    return value if isinstance(value, hint) else None


def _number(value: Any, kind: type[int] | type[float]) -> int | float | None:
    """A finite number, also from a text such as '1e-3', which YAML does not take for one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int) and kind is int:
        return value if -LARGEST - 1 <= value <= LARGEST else None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number):
        return None
    if kind is float:
        return number
    return int(number) if number.is_integer() and abs(number) < LARGEST else None


def _plain(value: Any, at: str) -> Any:
    """A value of any plain type, lists as tuples, so that a record that was read equals the one that was written."""
    if isinstance(value, list | tuple):
        return tuple(_plain(part, f"{at}[{index}]") for index, part in enumerate(value))
    if isinstance(value, Mapping):
        return {str(name): _plain(part, _join(at, str(name))) for name, part in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{at} is {value}; a finite number was expected")
    if isinstance(value, str | int | float | NoneType):
        return value
    raise UsageError(f"{at} is {value!r}; a number, text, true, false, null, list or mapping was expected")


def _to_value(value: Any) -> Any:
    if is_dataclass(value):
        return to_values(value)
    if isinstance(value, tuple | list):
        return [_to_value(part) for part in value]
    if isinstance(value, Mapping):
        return {name: _to_value(part) for name, part in value.items()}
    return value


def _is_record(hint: Hint) -> bool:
    return isinstance(hint, type) and is_dataclass(hint)


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
