"""What every encoder promises."""

from __future__ import annotations

from torch import Tensor, nn

from attseg.errors import UsageError

STRIDES = (4, 8, 16, 32)
OUTPUT_STRIDES = (8, 16, 32)


class Encoder(nn.Module):
    """Maps of a picture at several strides, finest first.

    A decoder asks for the channels and strides and never probes.

    Args:
        channels: Channels of each map.
        strides: Pixels of the picture to one step on each map; never decreasing.
    """

    def __init__(self, channels: tuple[int, ...], strides: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = channels
        self.strides = strides

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of (N, 3, H, W), each (N, channels[i], ceil(H / strides[i]), ceil(W / strides[i]))."""
        raise NotImplementedError(f"{type(self).__name__} must say how it encodes a picture")


def check_output_stride(output_stride: int) -> None:
    """Refuse a stride that no encoder's deepest map has."""
    if output_stride not in OUTPUT_STRIDES:
        raise UsageError(f"output_stride is {output_stride}; one of {OUTPUT_STRIDES} was expected")
