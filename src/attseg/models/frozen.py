"""Freezing an encoder, whole or to a depth."""

from __future__ import annotations

from typing import Any

from torch import nn

from attseg.encoders.stages import parameter_stages
from attseg.errors import UsageError


def freeze(model: Any, upto: str) -> list[nn.Module]:
    """Keep the first parameters of a network from learning. Called twice, it changes nothing more.

    They get no gradient, and nothing is kept for a backward pass through them, since the images before them want none either.

    Args:
        model: Its ``encoder`` is frozen.
        upto: ``none``, ``encoder`` (all of it), or the number of the map up to which everything is frozen.

    Returns:
        The modules all of whose parameters are frozen, to be held in evaluation mode (``hold``); those within them are left out.

    Raises:
        UsageError: The encoder has fewer maps, or nothing is left to learn.
    """
    if upto == "none":
        return []
    encoder = model.encoder
    stages = parameter_stages(encoder)
    deepest = max(stages.values())
    last = deepest if upto == "encoder" else int(upto)
    if last > deepest:
        raise UsageError(
            f"freeze is {upto}, and this encoder has {deepest} maps; at most {deepest}, or encoder, was expected"
        )
    for name, parameter in encoder.named_parameters():
        if stages[name] <= last:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UsageError(f"freeze is {upto}, which leaves nothing of this {type(model).__name__} to train; freeze less")
    return list(_frozen_modules(encoder))


def describe_frozen(model: nn.Module) -> str:
    """How much is frozen, in words; empty where nothing is."""
    parameters = list(model.parameters())
    frozen = sum(not parameter.requires_grad for parameter in parameters)
    return f"frozen: {frozen} of {len(parameters)} parameter tensors" if frozen else ""


def hold(modules: list[nn.Module]) -> None:
    """Keep frozen modules in evaluation mode: batch normalisation uses its running statistics, and nothing is dropped."""
    for module in modules:
        module.eval()


def _frozen_modules(module: nn.Module) -> list[nn.Module]:
    parameters = list(module.parameters())
    if parameters and not any(parameter.requires_grad for parameter in parameters):
        return [module]
    return [found for child in module.children() for found in _frozen_modules(child)]
