"""The data that a trained model is measured on, and the folder of an evaluation: the run's own, or apart from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from attseg.data.catalog import open_data
from attseg.data.classes import ClassTable
from attseg.data.sample import SegmentationData
from attseg.data.sets.kept_splits import is_divided, with_kept_splits
from attseg.data.splitting import SPLIT_FILE
from attseg.data.wording import few
from attseg.errors import UsageError
from attseg.files import read_text
from attseg.prediction.protocol import Protocol
from attseg.recipes.nested import Values, put
from attseg.recipes.recipe import DataSpec, Recipe
from attseg.recipes.values import from_values, to_values


def recipe_of(info: Mapping[str, Any]) -> Recipe | None:
    """The recipe that made the weights, where they say so.

    Args:
        info: What the weights say about where they come from.
    """
    values = info.get("recipe")
    return from_values(Recipe, values) if isinstance(values, dict) else None


def data_spec(given: Values, recipe: Recipe | None, file: Path) -> DataSpec:
    """The data set of the run, with what the command line says instead; of another data set, only what that says.

    Args:
        given: Settings by dotted key; those below ``data`` count.
        recipe: Of the run, where it is known.
        file: The weights, for the message.

    Raises:
        UsageError: The weights do not say what they were trained on, and neither does the command line.
    """
    given = {key.removeprefix("data."): value for key, value in given.items() if key.startswith("data.")}
    if recipe is None and "name" not in given:
        raise UsageError(
            f"{file} does not say which data it was trained on; name a data set with --data.name and --data.root"
        )
    if recipe is None or given.get("name", recipe.data.name) != recipe.data.name:
        if recipe is not None and given.get("name") == "folder" and "range" in recipe.data.options:
            given = {"options.range": recipe.data.options["range"]} | given
        return from_values(DataSpec, put({}, given), "data")
    return from_values(DataSpec, put(to_values(recipe.data), given), "data")


def kept_spec(spec: DataSpec, given: Values, file: Path) -> DataSpec:
    """The data set as it is opened: where the run divided its pictures, with the file in which it has kept how.

    Args:
        spec: From ``data_spec``, which stays what reports name.
        given: As of ``data_spec``. A division that it states is made anew.
        file: The weights; the file of splits lies beside them.
    """
    if {"data.options.split", "data.options.fold", "data.name"} & given.keys():
        return spec
    return replace(spec, options=with_kept_splits(spec.name, spec.options, file.with_name(SPLIT_FILE)))


def own_spec(info: Mapping[str, Any], file: Path, given: Values) -> DataSpec:
    """The data set of a run as it is opened, or the one that the command line names.

    Args:
        info: What the weights say about where they come from.
        file: The weights.
        given: As of ``data_spec``.
    """
    return kept_spec(data_spec(given, recipe_of(info), file), given, file)


def open_own(
    info: Mapping[str, Any], file: Path, given: Values, split: str | None = None
) -> tuple[DataSpec, SegmentationData]:
    """The same with a split of it; None is the one that the run validated on."""
    spec = own_spec(info, file, given)
    return spec, open_data(spec.name, split or spec.val, root=spec.root, **spec.options)


def is_divided_anew(spec: DataSpec, kept: DataSpec) -> bool:
    """Whether pictures are divided by an option although a run may have kept how it divided them."""
    return is_divided(spec.name, spec.options) and kept == spec


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


def check_classes(trained: ClassTable, measured: ClassTable, run: str) -> None:
    """Refuse to measure a model on other classes than its own.

    Raises:
        UsageError: Names or order differ.
    """
    if trained.names == measured.names:
        return
    if set(trained.names) == set(measured.names):
        raise UsageError(
            f"{run} has the classes in the order {few(trained.names, 4)}, and the data set in the order "
            f"{few(measured.names, 4)}, which is that of their values in label files: renumber the label files and classes.csv "
            "in the order of the model"
        )
    raise UsageError(
        f"{run} knows {len(trained)} classes ({few(trained.names, 4)}), and the data set has {len(measured)} "
        f"({few(measured.names, 4)}); names and order must be equal to be measured"
    )


def check_comparable(
    runs: tuple[str, str], classes: tuple[ClassTable, ClassTable], data: tuple[str | None, str | None], *, named: bool
) -> None:
    """Refuse to compare models whose figures would not be of one thing.

    Args:
        runs: What the models are called.
        classes: Of each.
        data: Names of the data sets that each was trained on, where they are known.
        named: Whether the command line names a data set.

    Raises:
        UsageError: They have other classes, or were trained on other data and no data set is named.
    """
    if classes[0].names != classes[1].names:
        raise UsageError(
            f"{runs[0]} knows {len(classes[0])} classes and {runs[1]} {len(classes[1])}, or other names or order; only "
            "models of the same classes can be compared"
        )
    if data[0] != data[1] and not named:
        one, two = (name or "unnamed data" for name in data)
        raise UsageError(
            f"{runs[0]} was trained on {one} and {runs[1]} on {two}; say with --data.name and --data.root on which data both "
            "are to be compared"
        )


def place_of(run: str, given: Path | None, file: Path, apart: Sequence[str], *, resume: bool) -> Path | None:
    """The folder of an evaluation: ``evaluation`` in the run folder, and behind it what is not the run's own.

    Args:
        run: What the command line names.
        given: The folder that it names, if any.
        file: The weights.
        apart: As from ``apart_of``.
        resume: Whether an evaluation is to be continued, which needs a folder.

    Raises:
        UsageError: The folder is a run folder, or that of the run's own evaluation while this is another one; or there is none.
    """
    out = given or (file.parent / "-".join(["evaluation", *apart]) if Path(run).is_dir() else None)
    if out is None:
        if resume:
            raise UsageError("--resume goes on from what a folder holds; say which with --out")
        return None
    if (out / "recipe.yaml").exists() or (out / "best.safetensors").exists():
        raise UsageError(
            f"{out} is a run folder, whose report.json is that of its training; choose another folder (--out)"
        )
    if apart and out.resolve() == (file.parent / "evaluation").resolve():
        raise UsageError(
            f"{out} is for the run's own data, split and protocol, and this evaluation is another one ({', '.join(apart)}); "
            "choose another folder (--out), or leave out --out"
        )
    return out


def apart_of(file: Path, recipe: Recipe | None, spec: DataSpec, split: str, protocol: Protocol, crf: bool) -> list[str]:
    """Parts of a folder's name that tell an evaluation from the run's own; empty for the run's own."""
    own = spec.val if recipe is None else recipe.data.val
    parts = [data_tag(spec)] if is_other_data(file, recipe, spec) else []
    parts += [split] * (split != own)
    return parts + [protocol.name.replace(", ", "-")] * (protocol.name != "single") + ["crf"] * crf


def is_other_data(file: Path, recipe: Recipe | None, spec: DataSpec) -> bool:
    """Whether a data set is not the one that the run evaluated on: another name, root or options."""
    if recipe is None:
        return False
    return (spec.name, spec.options) != (recipe.data.name, recipe.data.options) or root_of(spec.root) != own_root(
        file, recipe.data.root
    )
