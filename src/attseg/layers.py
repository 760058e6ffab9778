"""The two pieces that every mechanism is made of: convolution with normalisation, and resizing."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


class ConvNormAct(nn.Sequential):
    """Convolution that keeps the size, batch normalisation, ReLU.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel: Height and width of the convolution, odd.
        dilation: Steps from one value that the kernel reads to the next.
        act: Whether a ReLU follows.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int = 1, *, dilation: int = 1, act: bool = True
    ) -> None:
        padding = dilation * (kernel // 2)
        layers = [
            nn.Conv2d(in_channels, out_channels, kernel, padding=padding, dilation=dilation, bias=False),
            BatchNorm2d(out_channels),
        ]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if act else []))


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation that also trains on maps with one value a channel, such as a pooled map at batch size 1.

    One value has no variance. Such a map is normalised with the running statistics, which it leaves as they are.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        n, _, h, w = input.shape
        if self.training and n * h * w == 1:
            return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(input)


def resize(maps: Tensor, size: Sequence[int], *, align_corners: bool = False) -> Tensor:
    """Bilinear resizing of (N, C, H, W) to ``size`` (height, width), with half-pixel centres unless the corners are aligned."""
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=align_corners)
