"""The data that a trained model is measured on: those of its run, or others that the command line names."""

from __future__ import annotations

import hashlib
import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.errors import UsageError
from attseg.files import read_text
from attseg.recipes.nested import put
from attseg.recipes.recipe import DataSpec, Recipe
from attseg.recipes.values import from_values, to_values

if TYPE_CHECKING:
    from attseg.checkpoint import Weights
    from attseg.data.classes import ClassTable
    from attseg.inference.exported.description import Description


def read_about(file: Path) -> Weights | Description:
    """What a file of weights, or an exported file, says of itself: its classes, and ``info`` about where it comes from."""
    from attseg.checkpoint import read_weights
    from attseg.inference.exported.engines import is_exported, read_description

    return read_description(file) if is_exported(file) else read_weights(file)


def recipe_of(info: Mapping[str, Any]) -> Recipe | None:
    """The recipe that made the weights, where they say so."""
    values = info.get("recipe")
    return from_values(Recipe, values) if isinstance(values, dict) else None


def data_spec(arguments: Namespace, file: Path, recipe: Recipe | None) -> DataSpec:
    """The data set of the run, with what the command line says instead; of another data set, only what that says.

    Raises:
        UsageError: The weights do not say what they were trained on, and neither does the command line.
    """
    given = section(arguments.given, "data")
    if recipe is None and "name" not in given:
        raise UsageError(
            f"{file} does not say which data it was trained on; name a data set with --data.name and --data.root"
        )
    if recipe is None or given.get("name", recipe.data.name) != recipe.data.name:
        if recipe is not None and given.get("name") == "folder" and "range" in recipe.data.options:
            given = {"options.range": recipe.data.options["range"]} | given
        return from_values(DataSpec, put({}, given), "data")
    return from_values(DataSpec, put(to_values(recipe.data), given), "data")


def root_of(root: str | None) -> str | None:
    """A root as an absolute path without links."""
    return None if root is None else str(Path(root).resolve())


def own_root(file: Path, given: str | None) -> str | None:
    """The root of the data that a run evaluated on: the one in its report if it is still there, else that of its recipe.

    Args:
        file: The run's weights.
        given: The root in its recipe.
    """
    try:
        noted = json.loads(read_text(file.with_name("report.json"))).get("root")
    except (OSError, ValueError, AttributeError):  # no run folder, or attseg 0.1.0, which did not note it
        noted = None
    return noted if isinstance(noted, str) and Path(noted).is_dir() else root_of(given)


def data_tag(spec: DataSpec) -> str:
    """A name for a data set, its root and its options, to be part of the name of a folder."""
    described = json.dumps([spec.name, root_of(spec.root), dict(spec.options)], default=str)
    digest = hashlib.blake2b(described.encode(errors="surrogatepass"), digest_size=3).hexdigest()
    return "-".join([spec.name, *([Path(spec.root).resolve().name] if spec.root else []), digest])


def section(given: dict[str, Any], name: str) -> dict[str, Any]:
    """The settings below a name, without it."""
    return {key.removeprefix(f"{name}."): value for key, value in given.items() if key.startswith(f"{name}.")}


def check_classes(trained: ClassTable, measured: ClassTable, run: str) -> None:
    """Refuse to measure a model on other classes than its own.

    Raises:
        UsageError: Names or order differ.
    """
    if trained.names == measured.names:
        return
    if set(trained.names) == set(measured.names):
        raise UsageError(
            f"{run} has the classes in the order {_few(trained.names)}, and the data set in the order {_few(measured.names)}, "
            "which is that of their values in label files: renumber the label files and classes.csv in the order of the model"
        )
    raise UsageError(
        f"{run} knows {len(trained)} classes ({_few(trained.names)}), and the data set has {len(measured)} "
        f"({_few(measured.names)}); names and order must be equal to be measured"
    )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", .." if len(names) > 4 else "")
