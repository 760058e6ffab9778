"""Which recipe is trained: a name or a file, changed by a second file, by settings, and by the weights that it begins with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from attseg.errors import UsageError
from attseg.recipes import find_recipe
from attseg.recipes.files import from_file, read_yaml
from attseg.recipes.nested import Values, merge, put
from attseg.recipes.recipe import Machine, ModelSpec, Recipe
from attseg.recipes.values import to_values

LENGTHS = ("steps", "epochs", "minutes")
"""Settings of which one says how long a run is."""


@dataclass(frozen=True)
class Choice:
    """What is trained, and how.

    Args:
        recipe: All that decides the result.
        machine: Where and how.
        note: What was decided that nobody asked for, if anything was.
    """

    recipe: Recipe
    machine: Machine
    note: str | None = None


def choose(
    source: str | None,
    *,
    changes: Path | None = None,
    given: Mapping[str, object] | None = None,
    model_of: Callable[[str], ModelSpec] | None = None,
    origin: str = "command line",
) -> Choice:
    """The recipe of a name or a file, with the settings of a second file, and with single ones on top.

    Args:
        source: Name of a recipe, or a YAML file.
        changes: YAML file of settings that replace those of ``source``; alone, it is the recipe.
        given: Further settings by dotted key.
        model_of: Gives the model of the weights that ``init`` names, which takes the place of the recipe's unless a model is
            given; None keeps the recipe's.
        origin: Where these come from, for messages.

    Raises:
        UsageError: There is no such recipe, file or setting, a value does not fit, or none is named.
    """
    given = given or {}
    if source is None:
        source, changes = str(changes), None
    from_yaml = source.endswith((".yaml", ".yml"))
    values, name = (read_yaml(source), source) if from_yaml else (to_values(find_recipe(source)), f"recipe {source}")
    over = read_yaml(changes) if changes else {}
    init, note = given.get("init", over.get("init")), None
    named = {"model.name", "model.args"} & given.keys() or "model" in over or from_yaml
    if isinstance(init, str) and model_of is not None and not named:
        values, note = _with_model_of(init, model_of(init), values, given)
    if changes:
        values, name = merge(values, over), str(changes)
    values |= _one_length({key: over[key] for key in LENGTHS if key in over})
    found = from_file(values, name)  # what is wrong in a file is said of the file
    if given:
        found = from_file(put(values | _one_length(given), given), origin)
    return Choice(*found, note)


def with_settings(recipe: Recipe, given: Mapping[str, object], origin: str) -> Recipe:
    """A recipe with some settings replaced, by dotted key.

    Raises:
        UsageError: There is no such setting, or a value does not fit.
    """
    return from_file(put(to_values(recipe) | _one_length(given), given), origin)[0] if given else recipe


def _one_length(given: Mapping[str, object]) -> Values:
    """The other lengths of a run as 0, where one is given."""
    found = [name for name in LENGTHS if given.get(name)]
    if len(found) > 1:
        raise UsageError(f"{' and '.join(found)} were given; a run has one length: give one of them")
    return {name: 0 for name in LENGTHS if found and name not in found}


def _with_model_of(
    init: str, spec: ModelSpec, values: Values, given: Mapping[str, object]
) -> tuple[Values, str | None]:
    """The values with the model of the weights that a run begins with, and what is to be said of it."""
    model, own = to_values(spec), values["model"]["name"]
    if model == values["model"]:
        return values, None
    chosen = {key: value for key, value in given.items() if key.startswith("model.args.")}
    args = put({"model": model}, chosen)["model"]["args"]
    listed = ", ".join(f"{name}={value!r}" for name, value in args.items())
    note = (
        f"model: {model['name']}({listed}), that of {init}{' with the changes given' if chosen else ''}, in place of the {own} "
        f"of {values['name']}; --model.name and --model.args give another"
    )
    return values | {"model": model}, note
