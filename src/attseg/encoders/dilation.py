"""Dilation as it was released with PSANet and PSPNet: one rate for every 3x3 convolution of a dilated stage."""

from __future__ import annotations

from torch import nn

from attseg.encoders.base import Encoder
from attseg.errors import UsageError

STAGES = ("layer3", "layer4")


def dilate_evenly(encoder: Encoder) -> None:
    """Give the first block of each dilated stage of a ResNet the rate of the others, in place.

    timm gives it the rate of the stage before. Weights fit either way, and were trained for one of them.

    Raises:
        UsageError: The encoder is no ResNet of timm.
    """
    modules = dict(encoder.named_modules())
    stages = [modules.get(f"network.{name}") for name in STAGES]
    for stage in stages:
        if stage is None:
            raise UsageError(
                "even dilation is for the ResNets of timm, whose stages are layer1 to layer4; this encoder has none of these"
            )
        convolutions = [m for m in stage.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
        for convolution in convolutions:
            convolution.dilation = convolution.padding = convolutions[-1].dilation
