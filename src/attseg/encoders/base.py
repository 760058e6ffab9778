"""What every encoder promises."""

from __future__ import annotations

from torch import Tensor, nn


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
