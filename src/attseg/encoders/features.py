"""Any module that gives maps at several strides, as an encoder: timm's and torchvision's features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from attseg.encoders.base import OUTPUT_STRIDES, STRIDES, Encoder
from attseg.errors import UsageError

SIDE = 128
"""Side of the zeros that a module is tried with, in pixels."""

TAKEN = [[min(stride, deepest) for stride in STRIDES] for deepest in OUTPUT_STRIDES]
"""Strides of the maps that are taken."""

HOW = (
    "timm.create_model(name, features_only=True) makes one, and so does create_feature_extractor(network, nodes) of "
    "torchvision.models.feature_extraction"
)


class FeaturesEncoder(Encoder):
    """An encoder of a module that gives a list, tuple or mapping of maps (N, C, H, W), finest first.

    Maps finer than stride 4 are left out, and channels that come last (N, H, W, C), as in Swin, are moved. Channels and strides
    are found by running the module once. Mean and standard deviation are those that timm states for the module.

    Args:
        module: The module. Its own weights stay.

    Raises:
        UsageError: It gives something else, other strides than 4, 8, 16, 32, or its deepest map first.

    Example:
        >>> import timm
        >>> encoder = FeaturesEncoder(timm.create_model("test_resnet", features_only=True))
        >>> encoder.channels, encoder.strides
        ((32, 48, 192, 96), (4, 8, 16, 32))
    """

    def __init__(self, module: nn.Module) -> None:
        in_channels = next((part.in_channels for part in module.modules() if isinstance(part, nn.Conv2d)), 3)
        maps = _tried(module, in_channels)
        channels_last = any(each.shape[1] == each.shape[2] != each.shape[3] for each in maps)
        channels = [each.shape[3 if channels_last else 1] for each in maps]
        strides = [round(SIDE / each.shape[2]) for each in maps]
        kept = [place for place, stride in enumerate(strides) if stride >= STRIDES[0]]
        if [strides[place] for place in kept] not in TAKEN:
            raise UsageError(
                f"{type(module).__name__} gives maps at strides {', '.join(map(str, strides))}; four at strides 4, 8, 16, 32 (or "
                f"4, 8, 16, 16, or 4, 8, 8, 8) in this order were expected: {HOW}. Plain transformers are encoders by name: "
                "encoder='vit_small_patch16_224'"
            )
        super().__init__(tuple(channels[place] for place in kept), tuple(strides[place] for place in kept), in_channels)
        self.module = module
        self._kept = kept
        self._channels_last = channels_last
        told = getattr(module, "pretrained_cfg", None)
        if isinstance(told, Mapping) and len(told.get("mean") or ()) == len(told.get("std") or ()) == in_channels:
            self.mean, self.std = tuple(told["mean"]), tuple(told["std"])

    def forward(self, images: Tensor) -> list[Tensor]:
        """The maps of images, finest first."""
        maps = _listed(self.module(images))
        return [maps[place].permute(0, 3, 1, 2) if self._channels_last else maps[place] for place in self._kept]


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
