"""Encoders from timm: any of its convolutional networks with maps at strides 4, 8, 16 and 32."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor

from attseg.encoders.base import Encoder
from attseg.encoders.weights import weight_options
from attseg.errors import UsageError, unknown

OUTPUT_STRIDES = (8, 16, 32)
STRIDES = (4, 8, 16, 32)


class TimmEncoder(Encoder):
    """A network of timm, cut into its stages from stride 4 on.

    Args:
        name: Name in timm, such as ``resnet50c`` (ResNet-50 with the deep stem of three 3x3 convolutions).
        output_stride: Stride of the deepest map: 32, or 16 or 8, where the last stages are dilated instead.
        pretrained: Whether to take timm's weights, from the local cache or the network.
        weights: File with weights of the whole network (``.safetensors`` or ``.pth``), instead of ``pretrained``.

    Raises:
        UsageError: timm has no such network, or it cannot give these strides.
        FileNotFoundError: There is no file of weights, or pretrained weights are neither here nor reachable.

    Reading:
        timm dilates the first block of a dilated stage with the rate of the stage before, which agrees with PAN's words
        that the rate of 2 is for the blocks from res5b on.

    Example:
        >>> encoder = TimmEncoder("resnet18", output_stride=16)
        >>> encoder.channels, encoder.strides
        ((64, 128, 256, 512), (4, 8, 16, 16))
    """

    def __init__(
        self, name: str, *, output_stride: int = 32, pretrained: bool = False, weights: str | Path | None = None
    ) -> None:
        indices = _stages(name)
        options: dict[str, Any] = {"features_only": True, "out_indices": indices}
        if output_stride != 32:
            options["output_stride"] = output_stride
        options |= weight_options(name, pretrained=pretrained, file=weights)
        network = _create(name, output_stride, options)
        super().__init__(
            channels=tuple(network.feature_info.channels()), strides=tuple(network.feature_info.reduction())
        )
        self.network = network

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of (N, 3, H, W), finest first."""
        return list(self.network(images))


def _stages(name: str) -> Sequence[int]:
    """Which of timm's stages have the strides 4, 8, 16, 32; whether there are such maps is tried out without memory."""
    if not timm.is_model(name.split(".")[0]):
        raise unknown(
            "encoder",
            name,
            timm.list_models(),
            more="timm.list_models() has them all; attseg takes its convolutional ones, and vgg16-largefov",
        )
    with torch.device("meta"):
        try:
            network: Any = timm.create_model(name, features_only=True).eval()
            maps = network(torch.empty(1, 3, 64, 96))
        except (RuntimeError, AttributeError, AssertionError, ValueError):
            raise UsageError(_unfit(name, "gives no maps at several strides for pictures of any size")) from None
    found = dict(zip(network.feature_info.reduction(), range(len(maps)), strict=True))
    expected = [
        (1, channels, 64 // s, 96 // s) for channels, s in zip(network.feature_info.channels(), found, strict=False)
    ]
    if not set(STRIDES) <= found.keys():
        raise UsageError(_unfit(name, f"gives maps at the strides {network.feature_info.reduction()}"))
    if [tuple(level.shape) for level in maps] != expected:
        raise UsageError(_unfit(name, "gives its maps in another layout than (N, C, H, W)"))
    return [found[stride] for stride in STRIDES]


def _create(name: str, output_stride: int, options: dict[str, Any]) -> Any:
    """The network, or a sentence about the strides that it cannot have."""
    if output_stride not in OUTPUT_STRIDES:
        raise UsageError(f"output_stride is {output_stride}; one of {OUTPUT_STRIDES} was expected")
    try:
        return timm.create_model(name, **options)
    except (TypeError, AssertionError, NotImplementedError):
        if output_stride == 32:
            raise
        raise UsageError(
            f"the encoder {name!r} cannot be dilated to an output stride of {output_stride}; use output_stride=32, "
            "or an encoder that can, such as resnet50c, convnext_tiny, mobilenetv3_small_100 or efficientnet_b0"
        ) from None


def _unfit(name: str, reason: str) -> str:
    return (
        f"the encoder {name!r} {reason}; maps at the strides 4, 8, 16 and 32 were expected. Convolutional networks have them, "
        "such as resnet50c, convnext_tiny, mobilenetv3_small_100 or efficientnet_b0"
    )
