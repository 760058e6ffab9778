"""VGG-16 with its linear layers as convolutions: DeepLab-LargeFOV's at stride 8, and FCN's at stride 32."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attseg.encoders.base import Encoder
from attseg.encoders.from_file import adapted, find_tensors
from attseg.encoders.weights import Origin, from_timm, pretrained_file
from attseg.errors import UsageError

LARGE_FOV, FULLY_CONVOLUTIONAL = "vgg16-largefov", "vgg16-fcn"
"""Names of the encoders."""

TIMM_NAME = "vgg16"


class VGG(Encoder):
    """The thirteen convolutions of VGG-16, and two of its linear layers as convolutions."""

    def _build(
        self, name: str, output_stride: int, width: int, *, kernel: int = 3, dilation: int = 1, wide: int = 1
    ) -> None:
        """Make the layers: fc6 with a kernel, dilated by ``wide``, fc6 and fc7 of a width, and conv5 dilated."""
        if output_stride != (own := self.strides[-1]):
            raise UsageError(
                f"output_stride is {output_stride}; the encoder {name!r} has an output stride of {own} and no other, give "
                f"output_stride={own}"
            )
        self.conv1 = _convolutions(self.in_channels, 64, 64)
        self.conv2 = _convolutions(64, 128, 128)
        self.conv3 = _convolutions(128, 256, 256, 256)
        self.conv4 = _convolutions(256, 512, 512, 512)
        self.conv5 = _convolutions(512, 512, 512, 512, dilation=dilation)
        self.fc6 = _convolutions(512, width, kernel=kernel, dilation=wide).append(nn.Dropout(0.5))
        self.fc7 = _convolutions(width, width, kernel=1).append(nn.Dropout(0.5))

    def _begin(self, *, pretrained: bool, weights: str | Path | None) -> None:
        """Take weights from a file or timm's of ImageNet, or draw them."""
        import timm

        if pretrained and weights is None:
            weights = pretrained_file(TIMM_NAME)
        if weights is not None:
            self.began_with(self._load(weights))
        elif pretrained:
            self._copy(_convolution_tensors(timm.create_model(TIMM_NAME, pretrained=True, in_chans=self.in_channels)))
            self.began_with(from_timm(TIMM_NAME, self))
        else:
            self._draw()

    def _draw(self) -> None:
        """First weights that keep the spread of the activations, as nothing normalises them."""
        for parameter in self.parameters():
            if parameter.ndim == 1:
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")

    def _load(self, file: str | Path) -> Origin:
        """Take the weights of this encoder or of a whole vgg16."""
        import timm

        own = cast(Callable[[], VGG], type(self))
        with torch.device("meta"):
            theirs = _convolution_tensors(timm.create_model(TIMM_NAME))
            three = own().state_dict()
        forms = [(theirs, lambda: timm.create_model(TIMM_NAME)), (self.state_dict(), lambda: self)]
        if self.in_channels != 3:
            forms.append((three, own))
        tensors, origin = find_tensors(TIMM_NAME, file, forms)
        of_vgg = tensors.keys() == theirs.keys()
        first = next(iter(theirs if of_vgg else three))
        if tensors[first].shape[1] != self.in_channels:
            tensors[first] = adapted(tensors[first], self.in_channels)
            origin = origin.adapted(self.in_channels)
        if of_vgg:
            self._copy(tensors)
        else:
            self.load_state_dict(tensors)
        return origin

    @torch.no_grad()
    def _copy(self, theirs: Mapping[str, Tensor]) -> None:
        """Take the weights of vgg16's convolutions, thinned where it has more of them."""
        for ours, whole in zip(self.parameters(), theirs.values(), strict=True):
            sizes = zip(whole.shape, ours.shape, strict=True)
            ours.copy_(whole[tuple(slice(None, None, -(-many // few)) for many, few in sizes)])


class VGGLargeFOV(VGG):
    """VGG-16 of DeepLab-LargeFOV: the thirteen convolutions at strides up to 8, and two linear layers as convolutions.

    The last two poolings do not halve; conv5 is dilated by 2 in return, and fc6 looks far around with a 3x3 kernel dilated by
    12. The stages are conv3_3, conv4_3, conv5_3 and fc7, after their ReLU.

    Args:
        output_stride: There is only 8; asking for another is noticed.
        pretrained: Whether to take timm's ImageNet weights, from the local cache or the network.
        weights: File with the weights of timm's or torchvision's vgg16, or of this encoder, instead of ``pretrained``; see
            ``attseg.encoders.from_file.find_tensors``.
        in_channels: Channels of the image; the first convolution of weights for three is adapted to others as timm does it.

    Raises:
        UsageError: Another output stride, or the file lacks tensors that the network needs, or holds them in another shape.
        FileNotFoundError: There is no file of weights, or pretrained weights are neither here nor reachable.

    Source:
        Chen et al., ICLR 2015, arXiv 1412.7062, section 3, and the variant with a large field of view in the experiments (20.5 M
        parameters with 21 classes).
    Reading:
        The paper says where nothing is halved, not what is pooled over. The released network takes 3x3 where VGG takes 2x2,
        and so do we: cells are then centred on what they stand for, at any size. Its average before fc6 is left out.
        Pretrained linear layers are thinned: every fourth output, and of the 7x7 kernel every third row and column, which lie
        12 steps apart on a map that was not halved twice. That they are thinned is the paper's; which are kept it leaves open.

    Example:
        >>> with torch.device("meta"):
        ...     encoder = VGGLargeFOV()
        >>> encoder.channels, encoder.strides
        ((256, 512, 512, 1024), (4, 8, 8, 8))
    """

    def __init__(
        self,
        *,
        output_stride: int = 8,
        pretrained: bool = False,
        weights: str | Path | None = None,
        in_channels: int = 3,
    ) -> None:
        super().__init__((256, 512, 512, 1024), (4, 8, 8, 8), in_channels)
        self._build(LARGE_FOV, output_stride, 1024, dilation=2, wide=12)
        self._begin(pretrained=pretrained, weights=weights)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of (N, in_channels, H, W), finest first: 256 channels at stride 4, then 512, 512 and 1024 at stride 8."""
        second = self.conv2(_pool(self.conv1(images), stride=2))
        third = self.conv3(_pool(second, stride=2))
        fourth = self.conv4(_pool(third, stride=2))
        fifth = self.conv5(_pool(fourth, stride=1))
        return [third, fourth, fifth, self.fc7(self.fc6(_pool(fifth, stride=1)))]


class VGGFCN(VGG):
    """VGG-16 of FCN, whose two large linear layers are convolutions of 7x7 and 1x1.

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
        Long, Shelhamer and Darrell, CVPR 2015, arXiv 1411.4038, sections 4.1 and 4.2.
    Differs:
        The released network pads pictures by 100 pixels, convolves fc6 without padding and cuts the scores out. Here fc6 is
        padded by 3, which puts its cells over the same pixels and costs less: zeros then begin at the border of the map.

    Example:
        >>> with torch.device("meta"):
        ...     encoder = VGGFCN()
        >>> encoder.channels, encoder.strides
        ((128, 256, 512, 4096), (4, 8, 16, 32))
    """

    def __init__(
        self,
        *,
        output_stride: int = 32,
        pretrained: bool = False,
        weights: str | Path | None = None,
        in_channels: int = 3,
    ) -> None:
        super().__init__((128, 256, 512, 4096), (4, 8, 16, 32), in_channels)
        self._build(FULLY_CONVOLUTIONAL, output_stride, 4096, kernel=7)
        self._begin(pretrained=pretrained, weights=weights)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of (N, in_channels, H, W), finest first: 128 channels at stride 4, 256 at 8, 512 at 16 and 4096 at 32."""
        second = _halve(self.conv2(_halve(self.conv1(images))))
        third = _halve(self.conv3(second))
        fourth = _halve(self.conv4(third))
        return [second, third, fourth, self.fc7(self.fc6(_halve(self.conv5(fourth))))]


def _convolution_tensors(vgg: nn.Module) -> dict[str, Tensor]:
    """Weights and biases of the convolutions of timm's vgg16, by name and in order."""
    layers = {name for name, layer in vgg.named_modules() if isinstance(layer, nn.Conv2d)}
    return {name: tensor for name, tensor in vgg.state_dict().items() if name.rpartition(".")[0] in layers}


def _convolutions(*channels: int, kernel: int = 3, dilation: int = 1) -> nn.Sequential:
    """Convolutions that keep the size, each with a ReLU, from ``channels[0]`` over all others."""
    padding = dilation * (kernel // 2)
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [nn.Conv2d(before, after, kernel, padding=padding, dilation=dilation), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _pool(maps: Tensor, *, stride: int) -> Tensor:
    """The largest of a position and its neighbours; halves round up."""
    return F.max_pool2d(maps, 3, stride=stride, padding=1)


def _halve(maps: Tensor) -> Tensor:
    """The largest of each 2 x 2 cells; halves round up."""
    return F.max_pool2d(maps, 2, ceil_mode=True)
