"""Encoders to choose from, and the small family of networks: size, cost, licence, and whether pretrained weights are here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import timm
import torch

from attseg.encoders.named import make_encoder
from attseg.encoders.weights import find_weights_of
from attseg.errors import UsageError
from attseg.profiling.count import profile
from attseg.profiling.subject import NUM_CLASSES, find_subject
from attseg.recipes.finetune import FAMILY

SIZE = (512, 512)
ENCODERS = (
    "mobilenetv3_small_100",
    "mobilenetv3_large_100",
    "tf_efficientnet_lite0",
    "tf_efficientnet_lite1",
    "tf_efficientnet_lite2",
    "efficientnet_b0",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "convnext_tiny",
    "swin_tiny_patch4_window7_224",
)
"""Some of timm's networks, cheap and usual ones; any other with maps at four strides will do too."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An encoder, or a network of the small family.

    Args:
        name: In timm, or in ``FAMILY``.
        encoder: Of the network; that itself for an encoder.
        channels: Channels of the decoder; None for an encoder.
        parameters: How many numbers it learns.
        multiply_adds: Of a forward pass of one image of ``SIZE``.
        strides: Strides of the deepest map that it can have.
        licence: Of the pretrained weights, as timm states it.
        weights: Where these are: ``here``, in a package to install, on the network, or nowhere.
    """

    name: str
    encoder: str
    channels: int | None
    parameters: int
    multiply_adds: int
    strides: tuple[int, ...]
    licence: str
    weights: str

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def list_encoders() -> list[Choice]:
    """``ENCODERS`` with their costs; nothing is computed or downloaded."""
    with torch.device("meta"):
        networks = {name: make_encoder(name, output_stride=32, pretrained=False, weights=None) for name in ENCODERS}
    return [_choice(name, name, None, network) for name, network in networks.items()]


def list_family() -> list[Choice]:
    """The networks of ``FAMILY`` for 21 classes, likewise."""
    found = []
    for name, spec in FAMILY.items():
        network = find_subject(f"finetune-{name}", num_classes=NUM_CLASSES).build()
        found.append(_choice(name, spec.args["encoder"], spec.args["channels"], network))
    return found


def _choice(name: str, encoder: str, channels: int | None, network: torch.nn.Module) -> Choice:
    total = profile(network, SIZE).total
    config = timm.get_pretrained_cfg(encoder)
    return Choice(
        name=name,
        encoder=encoder,
        channels=channels,
        parameters=total.parameters,
        multiply_adds=total.multiply_adds,
        strides=tuple(stride for stride in (8, 16, 32) if _has_stride(encoder, stride)),
        licence=(config.license if config else None) or "not stated",
        weights=find_weights_of(encoder),
    )


def _has_stride(encoder: str, stride: int) -> bool:
    with torch.device("meta"):
        try:
            make_encoder(encoder, output_stride=stride, pretrained=False, weights=None)
        except UsageError:
            return False
    return True
