"""Any module that gives maps at several strides, as an encoder: timm's and torchvision's features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from attseg.encoders.base import STRIDES, Encoder
from attseg.errors import UsageError

SIDE = 128
"""Side of the zeros that a module is tried with, in pixels."""

HOW = (
    "timm.create_model(name, features_only=True) makes one, and so does create_feature_extractor(network, nodes) of "
    "torchvision.models.feature_extraction"
)


class FeaturesEncoder(Encoder):
    """An encoder of a module that gives a list, tuple or mapping of maps (N, C, H, W), finest first.

    Maps finer than stride 4 are left out. Channels and strides are found by running the module once.

    Args:
        module: The module. Its own weights stay.

    Raises:
        UsageError: It gives something else, or fewer than four maps at strides 4 to 32.

    Example:
        >>> import timm
        >>> encoder = FeaturesEncoder(timm.create_model("test_resnet", features_only=True))
        >>> encoder.channels, encoder.strides
        ((32, 48, 64, 96), (4, 8, 16, 32))
    """

    def __init__(self, module: nn.Module) -> None:
        in_channels = next((part.in_channels for part in module.modules() if isinstance(part, nn.Conv2d)), 3)
        maps = _tried(module, in_channels)
        strides = [round(SIDE / each.shape[-1]) for each in maps]
        kept = [place for place, stride in enumerate(strides) if stride >= STRIDES[0]]
        if len(kept) != len(STRIDES):
            raise UsageError(
                f"{type(module).__name__} gives maps at strides {', '.join(map(str, strides))}; four at strides 4, 8, 16, 32 (or "
                f"4, 8, 16, 16, or 4, 8, 8, 8) were expected: {HOW}"
            )
        super().__init__(
            tuple(maps[place].shape[1] for place in kept), tuple(strides[place] for place in kept), in_channels
        )
        self.module = module
        self._kept = kept

    def forward(self, images: Tensor) -> list[Tensor]:
        """The maps of images, finest first."""
        maps = _listed(self.module(images))
        return [maps[place] for place in self._kept]


def _tried(module: nn.Module, channels: int) -> list[Tensor]:
    was_training, like = module.training, next(module.parameters(), torch.zeros(0))
    module.eval()
    try:
        with torch.no_grad():
            output = module(torch.zeros(1, channels, SIDE, SIDE, device=like.device, dtype=like.dtype))
    except Exception as error:
        raise UsageError(
            f"{type(module).__name__} cannot be an encoder: it fails on zeros (1, {channels}, {SIDE}, {SIDE}) with {error}"
        ) from error
    finally:
        module.train(was_training)
    maps = _listed(output)
    if not maps or not all(isinstance(each, Tensor) and each.ndim == 4 for each in maps):
        shape = (
            f"a tensor of shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
        )
        raise UsageError(
            f"{type(module).__name__} cannot be an encoder: it gives {shape}; a list of maps (N, C, H, W) at several strides was "
            f"expected: {HOW}"
        )
    return maps


def _listed(output: Any) -> list[Tensor]:
    """The maps of an output, in their order; nothing where it holds none."""
    if isinstance(output, Mapping):
        return list(output.values())
    return list(output) if isinstance(output, list | tuple) else []
