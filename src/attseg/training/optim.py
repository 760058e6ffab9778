"""Optimiser, parameter groups and schedule."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from attseg.encoders.stages import parameter_stages
from attseg.models import Model
from attseg.recipes.recipe import OptimSpec


def parameter_groups(model: Model, optim: OptimSpec) -> list[dict[str, Any]]:
    """Every trainable parameter in exactly one group, by learning rate and weight decay.

    Args:
        model: A model whose ``encoder`` is the part that is usually pretrained; the rest are the new layers.
        optim: Says the factors of the new layers and of the encoder's stages, and what decays.

    Returns:
        Groups that are not empty, each with ``params``, ``weight_decay``, ``name`` (``encoder`` or ``new``) and ``lr_factor``,
        which the learning rate of the encoder is to be multiplied with. Normalisation layers and biases are told by
        their having one axis or none.
    """
    factors = _encoder_factors(model, optim)
    groups: dict[tuple[str, float, bool], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            name = "encoder" if id(parameter) in factors else "new"
            decays = optim.decay_norm_and_bias or parameter.ndim > 1
            factor = factors.get(id(parameter), optim.new_layers_factor)
            groups.setdefault((name, factor, decays), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": optim.weight_decay if decays else 0.0, "name": name, "lr_factor": factor}
        for (name, factor, decays), parameters in groups.items()
    ]


def _encoder_factors(model: Model, optim: OptimSpec) -> dict[int, float]:
    """Factor of the learning rate of each parameter of the encoder, by its id."""
    parameters = dict(model.encoder.named_parameters())
    if optim.layer_decay == 1:
        return {id(parameter): 1.0 for parameter in parameters.values()}
    stages = parameter_stages(model.encoder)
    deepest = max(stages.values())
    return {id(parameter): optim.layer_decay ** (deepest - stages[name]) for name, parameter in parameters.items()}


def make_optimizer(model: Model, optim: OptimSpec) -> torch.optim.Optimizer:
    """The optimiser that a recipe names, over ``parameter_groups``."""
    groups = parameter_groups(model, optim)
    if optim.name == "sgd":
        return torch.optim.SGD(groups, lr=optim.lr, momentum=optim.momentum)
    return torch.optim.AdamW(groups, lr=optim.lr)


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give each group ``lr`` times its ``lr_factor``."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_factor"]


def warmup_steps(optim: OptimSpec, steps: int) -> float:
    """Steps over which the learning rate rises: at most half of the run, so that a short one reaches its rate."""
    return min(optim.warmup * (steps if optim.warmup < 1 else 1), steps / 2)


def learning_rate(optim: OptimSpec, step: int, steps: int) -> float:
    """The learning rate of the encoder in a step: a polynomial that falls to 0, times a linear rise over the warm-up.

    Args:
        optim: Learning rate, power and warm-up.
        step: From 0 to ``steps - 1``.
        steps: Of the whole run.

    Example:
        >>> [round(learning_rate(OptimSpec(lr=1.0, power=1.0, warmup=2), step, 4), 3) for step in range(4)]
        [0.5, 0.75, 0.5, 0.25]
    """
    rise = warmup_steps(optim, steps)
    warm = min((step + 1) / rise, 1.0) if rise else 1.0
    return optim.lr * warm * (1 - step / steps) ** optim.power
