"""VGG-16 as a fully convolutional network: Long, Shelhamer and Darrell, CVPR 2015, arXiv 1411.4038, section 4."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from attseg.encoders.vgg import VGG, convolutions
from attseg.errors import UsageError

FULLY_CONVOLUTIONAL = "vgg16-fcn"
"""Name of this encoder."""

STRIDE = 32
WIDTH = 4096


class VGGFCN(VGG):
    """VGG-16 whose two large linear layers are convolutions of 7x7 and 1x1.

    The stages are pool2, pool3, pool4 and fc7.

    Args:
        output_stride: There is only 32; asking for another is noticed.
        pretrained: Whether to take timm's ImageNet weights, from the local cache or the network; all of them have a place.
        weights: File with the weights of timm's or torchvision's vgg16, or of this encoder, instead of ``pretrained``.
        in_channels: Channels of the image; the first convolution of weights for three is adapted to others as timm does it.

    Raises:
        UsageError: Another output stride, or the file lacks tensors that the network needs, or holds them in another shape.
        FileNotFoundError: There is no file of weights, or pretrained weights are neither here nor reachable.

    Source:
        Sections 4.1 and 4.2.
    Differs:
        The released network pads pictures by 100 pixels, convolves fc6 without padding and cuts the scores out. Here fc6 is
        padded by 3, which puts its cells over the same pixels and costs less: zeros then begin at the border of the map.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     encoder = VGGFCN()
        >>> encoder.channels, encoder.strides
        ((128, 256, 512, 4096), (4, 8, 16, 32))
    """

    def __init__(
        self,
        *,
        output_stride: int = STRIDE,
        pretrained: bool = False,
        weights: str | Path | None = None,
        in_channels: int = 3,
    ) -> None:
        if output_stride != STRIDE:
            raise UsageError(
                f"output_stride is {output_stride}; the encoder {FULLY_CONVOLUTIONAL!r} has an output stride of {STRIDE} and no "
                f"other, give output_stride={STRIDE}"
            )
        super().__init__((128, 256, 512, WIDTH), (4, 8, 16, 32), in_channels)
        self.conv1 = convolutions(in_channels, 64, 64)
        self.conv2 = convolutions(64, 128, 128)
        self.conv3 = convolutions(128, 256, 256, 256)
        self.conv4 = convolutions(256, 512, 512, 512)
        self.conv5 = convolutions(512, 512, 512, 512)
        self.fc6 = convolutions(512, WIDTH, kernel=7).append(nn.Dropout(0.5))
        self.fc7 = convolutions(WIDTH, WIDTH, kernel=1).append(nn.Dropout(0.5))
        self.begin(pretrained=pretrained, weights=weights)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of (N, in_channels, H, W), finest first: 128 channels at stride 4, 256 at 8, 512 at 16 and 4096 at 32."""
        second = _halve(self.conv2(_halve(self.conv1(images))))
        third = _halve(self.conv3(second))
        fourth = _halve(self.conv4(third))
        return [second, third, fourth, self.fc7(self.fc6(_halve(self.conv5(fourth))))]


def _halve(maps: Tensor) -> Tensor:
    """The largest of each 2 x 2 cells; halves round up."""
    return F.max_pool2d(maps, 2, ceil_mode=True)
