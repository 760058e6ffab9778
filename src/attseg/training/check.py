"""Checks before a run begins: that its network can be built and accepts the crops."""

from __future__ import annotations

from dataclasses import replace

import torch

from attseg.checkpoint import architecture
from attseg.converters.networks import build_network
from attseg.errors import UsageError
from attseg.losses import make_loss, segmentation_loss
from attseg.models import Model
from attseg.models.frozen import freeze
from attseg.recipes.recipe import ModelSpec, Recipe
from attseg.recipes.values import to_values
from attseg.runs.channels import train_transform

INSTEAD = (
    "Training begins from scratch instead, with nothing frozen (without_weights is scratch), which costs accuracy "
    "or time: docs/train/training.md says how much"
)


def checked_recipe(recipe: Recipe, *, batch_size: int, num_classes: int) -> tuple[Recipe, str]:
    """The recipe of a new run, checked; from scratch where it says so and its pretrained weights are not to be had.

    Returns:
        The recipe, and a sentence about what is done instead; empty where all is as asked for.

    Raises:
        UsageError: As of ``check_recipe``.
        OSError: Weights for the encoder are not to be had, and ``without_weights`` is ``stop``.
    """
    try:
        check_recipe(recipe, batch_size=batch_size, num_classes=num_classes)
    except FileNotFoundError as error:
        if not _may_begin_from_scratch(recipe):
            raise
        recipe = _from_scratch(recipe)
        check_recipe(recipe, batch_size=batch_size, num_classes=num_classes)
        return recipe, f"{error}. {INSTEAD}"
    return recipe, ""


def as_begun(recipe: Recipe, before: Recipe) -> Recipe:
    """The recipe of a run that goes on: from scratch where ``checked_recipe`` gave the run that, whatever is to be had now.

    Args:
        recipe: As it is asked for.
        before: That of the run.
    """
    scratch = _from_scratch(recipe)
    fell_back = to_values(before.model) == to_values(scratch.model) and before.freeze == scratch.freeze
    return scratch if fell_back and _may_begin_from_scratch(recipe) else recipe


def check_recipe(recipe: Recipe, *, batch_size: int, num_classes: int, stored: bool = False) -> None:
    """Go through a step of training without computing it.

    Args:
        recipe: What is to be trained.
        batch_size: Pictures of a forward pass.
        num_classes: Of the data set.
        stored: Whether a run goes on; see ``build_network``.

    Raises:
        UsageError: The augmentation, the network, its crops and the loss do not go together.
        OSError: Weights for the encoder are not to be had.
    """
    train_transform(recipe, None)
    loss = make_loss(recipe.loss)
    model = _build(recipe, num_classes, stored).train().to("meta")
    freeze(model, recipe.freeze)
    images = torch.empty(batch_size, recipe.model.args.get("in_channels", 3), *recipe.crop_size, device="meta")
    labels = torch.empty(batch_size, *recipe.crop_size, device="meta", dtype=torch.uint8)
    try:
        output = model(images)
    except (ValueError, RuntimeError) as error:
        raise UsageError(f"{recipe.model.name} cannot be trained on crops of {recipe.crop_size}: {error}") from error
    segmentation_loss(output, labels, loss=loss, aux=recipe.loss.aux)
    idle = sorted(output.aux.keys() - recipe.loss.aux.keys())
    if idle:
        raise UsageError(
            f"{recipe.model.name} computes the auxiliary output {idle[0]!r} in training, but the loss gives it no factor; "
            f"give one (--loss.aux '{{{idle[0]}: 0.4}}'), or build the model without it"
        )


def _may_begin_from_scratch(recipe: Recipe) -> bool:
    return recipe.without_weights == "scratch" and _asks_for_pretrained(recipe.model)


def _from_scratch(recipe: Recipe) -> Recipe:
    return replace(recipe, model=replace(recipe.model, args=architecture(recipe.model.args)), freeze="none")


def _asks_for_pretrained(model: ModelSpec) -> bool:
    """Whether a network, or the base of one at several scales, is to begin with weights that timm or a package has."""
    base = model.args.get("base_args")
    return any(
        args.get("pretrained") and not args.get("encoder_weights")
        for args in (model.args, base)
        if isinstance(args, dict)
    )


def _build(recipe: Recipe, num_classes: int, stored: bool) -> Model:
    """The network; values of a wrong type end deep within PyTorch, in words that name no argument."""
    try:
        with torch.random.fork_rng(devices=[]):
            return build_network(recipe.model.name, recipe.model.args, num_classes, stored=stored)
    except (UsageError, OSError):
        raise
    except Exception as error:
        given = ", ".join(f"{name}={value!r}" for name, value in recipe.model.args.items())
        raise UsageError(f"{recipe.model.name} cannot be built with {given}: {error}") from error
