"""Protocol of all encoders."""

from __future__ import annotations

from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn

from attseg.encoders.weights import Origin
from attseg.errors import UsageError

STRIDES = (4, 8, 16, 32)
OUTPUT_STRIDES = (8, 16, 32)


class Encoder(nn.Module):
    """Maps of an image at several strides, finest first.

    A decoder asks for the channels and strides and never probes. ``mean`` and ``std`` (red, green, blue, on the scale 0..1) are
    those of the encoder's pretraining, and ImageNet's where it starts from random weights; ``Preprocessing.of`` reads them.
    ``weights`` says where the first weights come from, such as ``"120 of 120 tensors from resnet18.pth"``; None for random ones.

    Args:
        channels: Channels of each map.
        strides: Pixels of the image to one step on each map; never decreasing.
    """

    mean: tuple[float, ...] = IMAGENET_DEFAULT_MEAN
    std: tuple[float, ...] = IMAGENET_DEFAULT_STD
    weights: str | None = None

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = channels
        self.strides = strides

    def began_with(self, origin: Origin) -> None:
        """Keep where the first weights come from, and the normalisation that goes with them."""
        self.mean, self.std, self.weights = origin.mean, origin.std, origin.told

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of (N, 3, H, W), each (N, channels[i], ceil(H / strides[i]), ceil(W / strides[i]))."""
        raise NotImplementedError(f"{type(self).__name__} must say how it encodes a picture")


def check_output_stride(output_stride: int) -> None:
    """Refuse a stride that no encoder's deepest map has."""
    if output_stride not in OUTPUT_STRIDES:
        raise UsageError(f"output_stride is {output_stride}; one of {OUTPUT_STRIDES} was expected")
