"""Weights that a whole network begins with: those of another run, as where a network is fine-tuned on other pictures."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from attseg.checkpoint import architecture, check_fit, read_weights
from attseg.data.classes import ClassTable
from attseg.errors import UsageError
from attseg.files import no_such_path
from attseg.models import build_model
from attseg.recipes.recipe import Recipe
from attseg.training.folder import RunFolder


def read_first_weights(recipe: Recipe, classes: ClassTable) -> dict[str, Tensor] | None:
    """What the network of a recipe begins with, or None where the recipe names nothing.

    Args:
        recipe: ``init`` is a run folder, whose best weights are taken, or a file.
        classes: Of the data set.

    Raises:
        UsageError: There is nothing there, or the weights are of other classes.
        WeightsError: They are of another network, or the file is damaged.
    """
    if recipe.init is None:
        return None
    path = Path(recipe.init).expanduser()
    if path.is_dir():
        path = RunFolder(path).best
    if not path.exists():
        raise UsageError(f"init: {no_such_path(path)}. Train what it names first, or say where it lies (--init)")
    weights = read_weights(path)
    if weights.classes.names != classes.names:
        raise UsageError(
            f"init: {path} knows {_few(weights.classes.names)}, and {recipe.data.name} has {_few(classes.names)}; names and "
            "order must be equal"
        )
    with (
        torch.device("meta"),
        torch.random.fork_rng(devices=[]),
    ):  # what does not fit is told before anything is written
        check_fit(build_model(recipe.model.name, architecture(recipe.model.args), len(classes)), weights.state)
    return weights.state


def _few(names: tuple[str, ...]) -> str:
    return f"{len(names)} classes ({', '.join(names[:4])}{', ..' if len(names) > 4 else ''})"
