"""Initial weights of a run (another run's, a pretrained encoder's, or its own last state) and the normalisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from attseg.checkpoint import architecture, load_into, read_weights
from attseg.converters.networks import build_network
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.reading.bands import check_bands, describe_bands
from attseg.errors import UsageError
from attseg.files import FileError
from attseg.hub.sources import DEMO, find_weights
from attseg.models import Model
from attseg.models.frozen import freeze
from attseg.recipes.recipe import ModelSpec, Recipe
from attseg.runs.channels import preprocessing_of
from attseg.runs.resumable import check_resumable
from attseg.runs.state import State
from attseg.training.optim import parameter_groups
from attseg.transfer import Transfer, find_transfer


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


def start(recipe: Recipe, num_classes: int, *, first: Transfer | None, state: State | None) -> Start:
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
    if state is not None:
        model = build_network(name, architecture(args), num_classes, stored=True)
        freeze(model, recipe.freeze)
        check_resumable(state, model, recipe, parameter_groups(model, recipe.optim))
        load_into(model, state["model"])
        kept = state.get("preprocessing")  # release 0.1.0 kept none, and had one for all
        preprocessing = Preprocessing() if kept is None else Preprocessing.from_dict(kept)
        return Start(model, preprocessing, state.get("encoder_weights"))
    own_encoder = first is None or not first.encoder
    model = build_network(name, args if own_encoder else architecture(args), num_classes)
    if first is not None:
        first.load_into(model)
    if own_encoder:
        own = preprocessing_of(recipe.data.options) or Preprocessing.of(model)
        return Start(model, own, getattr(model.encoder, "weights", None))
    assert first is not None
    return Start(model, first.weights.preprocessing, None)


def read_first_weights(recipe: Recipe, classes: ClassTable) -> Transfer | None:
    """The first weights of a recipe's network; None where the recipe names none.

    Args:
        recipe: ``init`` says where they are, as for ``find_weights``.
        classes: Of the data set.

    Raises:
        UsageError: There is nothing there.
        WeightsError: The file is damaged, or nothing in it fits.
    """
    if recipe.init is None:
        return None
    weights = read_weights(_find(recipe.init))
    build = partial(build_network, recipe.model.name, architecture(recipe.model.args))
    with (
        torch.device("meta"),
        torch.random.fork_rng(devices=[]),
    ):  # what does not fit is told before anything is written
        found = find_transfer(weights, build, classes, recipe.init)
    options = recipe.data.options
    if options.get("bands") is not None and preprocessing_of(options) is None:
        wanted = check_bands(options["bands"])
        if not found.encoder or weights.preprocessing.bands != wanted:
            raise UsageError(
                f"init: {recipe.init} reads {describe_bands(weights.preprocessing.bands, None)}, and {recipe.data.name} "
                f"{describe_bands(wanted, None)}; state the mean and standard deviation of these (attseg data check prints them)"
            )
    return found


def anchored(recipe: Recipe) -> Recipe:
    """The recipe with absolute paths to its data and first weights, so that the run can be evaluated from any folder."""

    def absolute(path: str) -> str:
        return str(Path(path).expanduser().absolute())

    if recipe.data.root:
        recipe = replace(recipe, data=replace(recipe.data, root=absolute(recipe.data.root)))
    if recipe.init and recipe.init != DEMO and Path(recipe.init).expanduser().exists():  # not a name on the hub
        recipe = replace(recipe, init=absolute(recipe.init))
    return recipe


def model_of(init: str) -> ModelSpec:
    """The model of some weights, for a recipe that begins with them.

    Args:
        init: A run folder, a file, ``demo``, or ``owner/name`` on the Hugging Face hub.

    Raises:
        UsageError: There is nothing there.
        WeightsError: The file is damaged.
    """
    return read_weights(_find(init)).model


def _find(init: str) -> Path:
    try:
        return find_weights(init)
    except (UsageError, FileError) as error:
        raise UsageError(f"init: {error}. Train what it names first, or say where it lies (--init)") from None
