"""Protocol of all encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from attseg.errors import UsageError

if TYPE_CHECKING:
    from attseg.encoders.weights import Origin

STRIDES = (4, 8, 16, 32)
OUTPUT_STRIDES = (8, 16, 32)


class Encoder(nn.Module):
    """Maps of an image at several strides, finest first.

    A decoder asks for the channels and strides and never probes. ``mean`` and ``std`` (red, green, blue, on the scale 0..1) are
    those of the encoder's pretraining, and ImageNet's where it starts from random weights; ``Preprocessing.of`` reads them.
    With other than three channels, these are not known, and are None. ``weights`` says where the first weights come from, such as
    ``"120 of 120 tensors from resnet18.pth"``; None for random ones.

    Args:
        channels: Channels of each map.
        strides: Pixels of the image to one step on each map; never decreasing.
        in_channels: Channels of the image.

    Raises:
        UsageError: There are fewer than one channel.
    """

    mean: tuple[float, ...] | None = (0.485, 0.456, 0.406)
    std: tuple[float, ...] | None = (0.229, 0.224, 0.225)
    weights: str | None = None

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...], in_channels: int = 3) -> None:
        super().__init__()
        check_channels(in_channels)
        if in_channels != 3:
            self.mean = self.std = None
        self.in_channels = in_channels
        self.channels = channels
        self.strides = strides

    def began_with(self, origin: Origin) -> None:
        """Keep where the first weights come from, and the normalisation that goes with them."""
        self.weights = origin.told
        if self.in_channels == 3:
            self.mean, self.std = origin.mean, origin.std

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of (N, in_channels, H, W), each (N, channels[i], ceil(H / strides[i]), ceil(W / strides[i]))."""
        raise NotImplementedError(f"{type(self).__name__} must say how it encodes a picture")


def check_channels(in_channels: int) -> None:
    """Refuse a number of image channels below one."""
    if in_channels < 1:
        raise UsageError(f"in_channels is {in_channels}; at least 1 was expected")


def check_output_stride(output_stride: int) -> None:
    """Refuse a stride that no encoder's deepest map has."""
    if output_stride not in OUTPUT_STRIDES:
        raise UsageError(f"output_stride is {output_stride}; one of {OUTPUT_STRIDES} was expected")
