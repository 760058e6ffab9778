"""Recipes as YAML files: data, never code."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, get_origin

import yaml

from attseg.errors import UsageError, unknown
from attseg.files import open_file, require_file
from attseg.recipes.recipe import Machine, Recipe
from attseg.recipes.values import from_values, to_values
from attseg.text import harmless

_NUMBERS = re.compile(r"[-+.\deE]+(,[-+.\deE]+)+")

LARGEST = 64 * 1024
"""Bytes that a file may have; a recipe is a page."""


def to_yaml(recipe: Recipe, machine: Machine) -> str:
    """The text of a recipe's file: everything that ``read_recipe`` needs."""
    values = to_values(recipe) | {"machine": to_values(machine)}
    dump = partial(yaml.dump_all, [values], None, Dumper=_Dumper, sort_keys=False, width=120)
    text = str(dump(allow_unicode=True))
    return text if harmless(text) == text else str(dump(allow_unicode=False))  # a stranger's weights may hold any text


def read_recipe(path: str | Path) -> tuple[Recipe, Machine]:
    """The recipe and the machine of a file; what it leaves out has its default.

    Args:
        path: A YAML file as from ``attseg train NAME --print_config``, or recipe.yaml of a run.

    Raises:
        UsageError: There is no such file, it is no YAML, or has a setting that does not exist or of a wrong type.
        OSError: The file cannot be read.
    """
    return from_file(read_yaml(path), path)


def from_file(values: dict[str, Any], path: str | Path) -> tuple[Recipe, Machine]:
    """The recipe and the machine that the values of a file describe; messages name ``path``."""
    names = [*(field.name for field in fields(Recipe)), "machine"]
    try:
        for name in values:
            if name not in names:
                raise unknown("setting", str(name), names)
        recipe = {name: value for name, value in values.items() if name != "machine"}
        return from_values(Recipe, recipe), from_values(Machine, values.get("machine", {}), "machine")
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The plain values of a YAML file.

    Raises:
        UsageError: There is no such file, or it is too large, is no text, no YAML, or no mapping.
        OSError: The file cannot be read.
    """
    with open_file(require_file(Path(path))) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise UsageError(f"{path} has over {LARGEST // 1024} KiB; a recipe of a page was expected")
    try:
        values = parse_yaml(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text in UTF-8; a recipe in YAML was expected") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    if not isinstance(values, dict):
        raise UsageError(f"{path} holds {type(values).__name__}; a mapping of settings to values was expected")
    return values


def parse_yaml(text: str) -> Any:
    """Plain values from YAML text; no tags, no aliases, no key twice.

    Raises:
        UsageError: The text is no YAML of this kind.

    Example:
        >>> parse_yaml("{lr: 1e-3, layout: off, size: [2, 3]}")
        {'lr': 0.001, 'layout': 'off', 'size': [2, 3]}
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UsageError(f"{line}{error.problem}; YAML of plain values was expected") from None
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(f"{error}; YAML of plain values was expected") from None
    except RecursionError:
        raise UsageError("lists within lists without end; YAML of plain values was expected") from None


def value_of(text: str, hint: Any = Any) -> Any:
    """The value of an option's text, by type: texts as they are, lists with or without brackets, all else as in YAML.

    Example:
        >>> value_of("7,5,3"), value_of("off"), value_of("0.5"), value_of("012", str)
        ([7, 5, 3], 'off', 0.5, '012')
    """
    if hint is str or (hint == str | None and text != "null"):
        return text
    origin: Any = get_origin(hint)
    if not text.startswith("[") and (origin is tuple or (hint is Any and _NUMBERS.fullmatch(text))):
        text = f"[{text}]"
    try:
        return parse_yaml(text)
    except UsageError:
        return text


class _Loader(yaml.SafeLoader):
    """YAML as people mean it: 1e-3 is a number, on and off are words, and nothing refers to anything."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.tag is not None:
            raise yaml.MarkedYAMLError(problem="an alias or a tag was found", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        names = set()
        for name, _ in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a name is no plain word", problem_mark=name.start_mark)
            if name.value in names:
                raise yaml.MarkedYAMLError(problem=f"{name.value!r} stands there twice", problem_mark=name.start_mark)
            names.add(name.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|True|false|False", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


class _Dumper(yaml.SafeDumper):
    """Mappings line by line, lists within one line."""


_Dumper.add_representer(
    list, lambda dumper, values: dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True)
)
