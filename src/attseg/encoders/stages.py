"""Stages of an encoder: which parameters each of its maps depends on, for freezing to a depth and for rates by depth."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn

SIDE = 64
"""Pixels a side of the image that is passed through without values."""


def parameter_stages(encoder: nn.Module) -> dict[str, int]:
    """The first map that each parameter takes part in, from 1 for the finest to the number of maps.

    Gradients of each map say so, on a copy without values (the meta device), so that any encoder can be asked.

    Args:
        encoder: Takes images (N, C, H, W) to a list of maps, finest first, or to one map; left as it is.

    Returns:
        The number of the map by the name of the parameter. Parameters that no map depends on belong to the last.

    Example:
        >>> from attseg.encoders.timm import TimmEncoder
        >>> stages = parameter_stages(TimmEncoder("resnet18"))
        >>> stages["network.conv1.weight"], stages["network.layer1.0.conv1.weight"], stages["network.layer4.0.conv1.weight"]
        (1, 1, 4)
    """
    twin = deepcopy(encoder).to("meta").eval().requires_grad_(True)
    maps = twin(torch.empty(2, getattr(encoder, "in_channels", 3), SIDE, SIDE, device="meta"))
    levels = [maps] if isinstance(maps, torch.Tensor) else list(maps)
    names, parameters = zip(*twin.named_parameters(), strict=True)
    stages = dict.fromkeys(names, len(levels))
    for number in range(len(levels), 0, -1):
        grads = torch.autograd.grad(levels[number - 1].sum(), parameters, retain_graph=True, allow_unused=True)
        stages |= {name: number for name, grad in zip(names, grads, strict=True) if grad is not None}
    return stages
