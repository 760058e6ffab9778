"""Initial weights of a run (another run's, a pretrained encoder's, or its own last state) and the normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from attseg.checkpoint import Weights, architecture, check_fit, load_into, read_weights
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.files import no_such_path
from attseg.models import Model, build_model
from attseg.recipes.recipe import Recipe
from attseg.runs.folder import RunFolder
from attseg.runs.resumable import check_resumable
from attseg.runs.state import State
from attseg.training.optim import parameter_groups


@dataclass(frozen=True)
class Start:
    """A network at the beginning of a run, or where it goes on.

    Args:
        model: With its weights.
        preprocessing: What its images go through.
        encoder_weights: How many tensors its encoder began with, and from where; None for random weights.
    """

    model: Model
    preprocessing: Preprocessing
    encoder_weights: str | None


def start(recipe: Recipe, num_classes: int, *, first: Weights | None, state: State | None) -> Start:
    """Build the network of a recipe; a resumed one does not look for pretrained weights again.

    Args:
        recipe: Whose network.
        num_classes: Classes K.
        first: What ``read_first_weights`` gave.
        state: What the run goes on from.

    Raises:
        UsageError: The encoder's weights do not fit.
        FileNotFoundError: They are neither here nor reachable.
        RunError: The run cannot go on from this state.
    """
    torch.manual_seed(recipe.seed)
    name, args = recipe.model.name, recipe.model.args
    if state is None and first is None:
        model = build_model(name, args, num_classes)
        return Start(model, Preprocessing.of(model), getattr(model.encoder, "weights", None))
    model = build_model(name, architecture(args), num_classes)
    if state is not None:
        check_resumable(state, model, recipe, parameter_groups(model, recipe.optim))
        load_into(model, state["model"])
        kept = state.get("preprocessing")  # release 0.1.0 kept none, and had one for all
        return Start(
            model,
            Preprocessing() if kept is None else Preprocessing.from_dict(kept),
            state.get("encoder_weights"),
        )
    assert first is not None
    load_into(model, first.state)
    return Start(model, first.preprocessing, None)


def read_first_weights(recipe: Recipe, classes: ClassTable) -> Weights | None:
    """The weights, with their preprocessing, that the network of a recipe begins with; None where the recipe names none.

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
    return weights


def _few(names: tuple[str, ...]) -> str:
    return f"{len(names)} classes ({', '.join(names[:4])}{', ..' if len(names) > 4 else ''})"
