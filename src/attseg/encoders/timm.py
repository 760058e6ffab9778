"""Encoders from timm: any of its networks with maps at strides 4, 8, 16 and 32, convolutional ones and Swin among them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from attseg.encoders.base import STRIDES, Encoder, check_channels, check_output_stride
from attseg.encoders.from_file import load_encoder
from attseg.encoders.weights import from_timm, pretrained_file
from attseg.errors import UsageError, unknown
from attseg.layers import resize

WINDOWED = ("swin_transformer", "swin_transformer_v2", "swin_transformer_v2_cr")
"""timm's files of networks that hold to one size of picture unless told otherwise."""
PATCH = 4
"""Pixels to a side of the patches of ``WINDOWED`` networks; pictures are resized to whole ones."""
WIDE_STEMS = {"resnet18s": "resnet18", "resnet34s": "resnet34"}
"""ResNets with PSPNet's stem of 64, 64 and 128 channels for which timm has no name of their own, as it has resnet50s."""


class TimmEncoder(Encoder):
    """A network of timm, cut into its stages from stride 4 on.

    Args:
        name: Name in timm, such as ``resnet50c`` (ResNet-50 with the deep stem of three 3x3 convolutions), or of
            ``WIDE_STEMS``.
        output_stride: Stride of the deepest map: 32, or 16 or 8, where the last stages are dilated instead.
        pretrained: Whether to take timm's weights, from the local cache or the network.
        weights: File with the encoder's weights, instead of ``pretrained``; see ``attseg.encoders.from_file.find_tensors``.
        in_channels: Channels of the image; the first convolution of weights for three is adapted to others as timm does it.

    Raises:
        UsageError: timm has no such network, or it cannot give these strides.
        UsageError: The file lacks tensors that the network needs, or holds them in another shape.
        FileNotFoundError: There is no file of weights, or pretrained weights are neither here nor reachable.

    Reading:
        Swin transformers are told to take any size, and pictures are resized to whole patches of 4 pixels for them. They
        cannot be dilated, and timm's code for their windows can only be exported for one size. Plain transformers, which have
        one stride, are for ``VitEncoder``.
        timm dilates the first block of a dilated stage with the rate of the stage before, which agrees with PAN's words
        that the rate of 2 is for the blocks from res5b on.

    Example:
        >>> encoder = TimmEncoder("resnet18", output_stride=16)
        >>> encoder.channels, encoder.strides
        ((64, 128, 256, 512), (4, 8, 16, 16))
    """

    def __init__(
        self,
        name: str,
        *,
        output_stride: int = 32,
        pretrained: bool = False,
        weights: str | Path | None = None,
        in_channels: int = 3,
    ) -> None:
        import timm

        check_channels(in_channels)
        wide: dict[str, Any] = {"stem_width": 64, "stem_type": "deep"} if name in WIDE_STEMS else {}
        given, name = name, WIDE_STEMS.get(name, name)
        windowed = timm.models.is_model_in_modules(name.split(".")[0], WINDOWED)
        options: dict[str, Any] = {"features_only": True, **wide, **({"strict_img_size": False} if windowed else {})}
        indices, channels_last = _stages(name, options)
        options |= {"out_indices": indices, "in_chans": in_channels}
        if output_stride != 32:
            options["output_stride"] = output_stride
        if wide and pretrained:
            raise UsageError(
                "timm has no ImageNet weights for this stem; pass pretrained=False, or give a file of weights"
            )
        if pretrained and weights is None:
            weights = pretrained_file(name)
        options["pretrained"] = pretrained and weights is None
        network = _create(name, output_stride, options)
        super().__init__(
            channels=tuple(network.feature_info.channels()),
            strides=tuple(network.feature_info.reduction()),
            in_channels=in_channels,
        )
        self.network = network
        self.windowed = windowed
        self.channels_last = channels_last
        if weights is not None:
            build = partial(_create, name, output_stride, options | {"pretrained": False, "in_chans": 3})
            whole = partial(timm.create_model, name, **wide)
            self.began_with(load_encoder(_body(network), given, weights, whole, lambda: _body(build()), in_channels))
        elif pretrained:
            self.began_with(from_timm(name, network))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of (N, in_channels, H, W), finest first."""
        if self.windowed:
            height, width = images.shape[-2:]
            images = resize(images, (-(-height // PATCH) * PATCH, -(-width // PATCH) * PATCH))
        maps = self.network(images)
        return [level.permute(0, 3, 1, 2) if self.channels_last else level for level in maps]


def _body(network: Any) -> Any:
    """The module that has the weights: some of timm's networks of maps hold the whole network."""
    return getattr(network, "model", network)


def _stages(name: str, options: dict[str, Any]) -> tuple[Sequence[int], bool]:
    """Which of timm's stages have the strides 4, 8, 16, 32, and whether channels are the last axis of their maps.

    Whether there are such maps is tried out without memory.
    """
    import timm

    if not timm.is_model(name.split(".")[0]):
        raise unknown(
            "encoder",
            name,
            timm.list_models(),
            more="timm.list_models() has them all; attseg takes its convolutional ones, swin*, vit*, deit*, vgg16-fcn and "
            "vgg16-largefov",
        )
    with torch.device("meta"):
        try:
            network: Any = timm.create_model(name, **options).eval()
            maps = network(torch.empty(1, 3, 64, 96))
        except (RuntimeError, AttributeError, AssertionError, ValueError):
            raise UsageError(_unfit(name, "gives no maps at several strides for pictures of any size")) from None
    found = dict(zip(network.feature_info.reduction(), range(len(maps)), strict=True))
    if not set(STRIDES) <= found.keys():
        raise UsageError(_unfit(name, f"gives maps at the strides {network.feature_info.reduction()}"))
    shapes = [tuple(level.shape[1:]) for level in maps]
    first = [(channels, 64 // s, 96 // s) for channels, s in zip(network.feature_info.channels(), found, strict=True)]
    last = [(height, width, channels) for channels, height, width in first]
    if shapes not in (first, last):
        raise UsageError(_unfit(name, "gives its maps in another layout than (N, C, H, W) or (N, H, W, C)"))
    return [found[stride] for stride in STRIDES], shapes == last


def _create(name: str, output_stride: int, options: dict[str, Any]) -> Any:
    """The network, or a sentence about the strides that it cannot have."""
    import timm

    check_output_stride(output_stride)
    try:
        return timm.create_model(name, **options)
    except (TypeError, AssertionError, NotImplementedError):  # families of timm refuse a stride in these ways
        if output_stride == 32:
            raise
        raise UsageError(
            f"the encoder {name!r} cannot be dilated to an output stride of {output_stride}; use output_stride=32, "
            "or an encoder that can, such as resnet50c, convnext_tiny, mobilenetv3_small_100 or efficientnet_b0"
        ) from None


def _unfit(name: str, reason: str) -> str:
    return (
        f"the encoder {name!r} {reason}; maps at the strides 4, 8, 16 and 32 were expected. Convolutional networks have them, "
        "such as resnet50c, convnext_tiny, mobilenetv3_small_100 or efficientnet_b0, and so has swin_tiny_patch4_window7_224; "
        "plain transformers are given them: vit_*, deit* and eva* as an encoder by name"
    )
