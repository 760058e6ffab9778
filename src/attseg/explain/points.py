"""Where chosen points of a picture collect from and distribute to, in a model with PSA, without the maps of all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from attseg.attention.pointwise.module import PointwiseSpatialAttention
from attseg.attention.pointwise.terms import Direction
from attseg.errors import UsageError


@dataclass(frozen=True, eq=False)
class PointMaps:
    """The attention of some points in one PSA module and one direction.

    Args:
        name: Where the module stands in the model, such as ``context.psa``; in the order of its passes where there are several.
        direction: ``collect``: where each point gathers from; ``distribute``: whom it gives to.
        weights: (N, P, h, w) on the module's own map; the points in the order asked for.
    """

    name: str
    direction: Direction
    weights: Tensor


def point_maps(model: nn.Module, images: Tensor, points: Sequence[tuple[int, int]]) -> list[PointMaps]:
    """Run a model and keep what some points of its pictures attend to.

    Time and memory are those of a forward pass and of the points' own maps; only what distribute's softmax sums over, all
    sources, is computed once more.

    Args:
        model: A model with point-wise spatial attention; run as it is, without gradients.
        images: (N, 3, H, W) as the model takes them.
        points: (x, y) of each point in pixels, from the left and from the top.

    Raises:
        UsageError: No point, a point outside the pictures, or a model without PSA.

    Source:
        Zhao et al., PSANet, ECCV 2018, figure 6.
    """
    modules = {name: module for name, module in model.named_modules() if isinstance(module, PointwiseSpatialAttention)}
    if not modules:
        raise UsageError(f"this {type(model).__name__} has no point-wise spatial attention; PSANet has")
    height, width = images.shape[-2:]
    for x, y in points:
        if not (0 <= x < width and 0 <= y < height):
            raise UsageError(f"the point ({x}, {y}) lies outside the picture, which is {width} wide and {height} high")
    shares = [((y + 0.5) / height, (x + 0.5) / width) for x, y in points]
    found: list[PointMaps] = []

    def keep(name: str, module: PointwiseSpatialAttention, inputs: tuple[Tensor, ...]) -> None:
        for direction, weights in module.point_maps(inputs[0], shares).items():
            found.append(PointMaps(name, direction, weights))

    handles = [module.register_forward_pre_hook(partial(keep, name)) for name, module in modules.items()]
    try:
        with torch.no_grad():
            model(images)
    finally:
        for handle in handles:
            handle.remove()
    return found
