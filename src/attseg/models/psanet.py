"""Point-wise Spatial Attention Network (PSANet): Zhao, Zhang, Liu, Shi, Loy, Lin and Jia, ECCV 2018."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from attseg.attention.pointwise.terms import Direction, Normalize, Outside
from attseg.context import ContextName, build_context
from attseg.context.pointwise import PointwiseContext, Variant, reach_of
from attseg.decoders.bilinear import BilinearDecoder
from attseg.encoders.base import Encoder
from attseg.encoders.dilation import dilate_evenly
from attseg.errors import UsageError
from attseg.layers import ConvNormAct
from attseg.models.frame import SegmentationModel, check_classes, make_encoder


class PSANet(SegmentationModel):
    """Point-wise spatial attention behind a ResNet dilated to stride 8.

    The defaults are the paper's best setting; each row of its tables names what differs:

    ==============================  =======================================================================
    table 1, ResNet50-Baseline      ``encoder="resnet50c", directions=()``
    table 1, +GlobalPooling         ``encoder="resnet50c", context="global"``
    table 1, +ASPP                  ``encoder="resnet50c", context="aspp"``
    table 1, +NonLocal              ``encoder="resnet50c", context="nonlocal"``
    table 1, +PSP                   ``encoder="resnet50c", context="psp"``
    table 1, +COLLECT (Compact)     ``encoder="resnet50c", directions=("collect",), compact=True``
    table 1, +COLLECT               ``encoder="resnet50c", directions=("collect",)``
    table 1, +DISTRIBUTE            ``encoder="resnet50c", directions=("distribute",)``
    table 1, +COLLECT+DISTRIBUTE    ``encoder="resnet50c"``; with ResNet101 the default
    ==============================  =======================================================================

    Args:
        num_classes: Classes K.
        encoder: Name of a network in timm, or a ready encoder.
        output_stride: Stride of the encoder's deepest map.
        pretrained: Whether to start from timm's ImageNet weights.
        encoder_weights: File with the encoder's weights, instead of ``pretrained``.
        in_channels: Channels of the image; a ready encoder has its own.
        even_dilation: One rate for all blocks of a dilated stage of a ResNet, as released, instead of timm's.
        context: ``psa``, or what the paper compares it with; ``psp`` makes this PSPNet.
        context_width: Channels of each level of ``psp``, where they are not its share of the input's.
        directions: ``collect``, ``distribute``, both, or none: the baseline.
        crop_size: Height and width of the crops in training; filters exist for the offsets between any two of their positions.
        max_offset: Largest offset with a filter, in rows and columns of the shrunk map, instead of what follows from the crop.
        compact: Filters for absolute places instead of offsets.
        normalize: ``softmax`` over the sources of each target, or ``count``: divide by their number.
        outside: What pairs do whose offset has no filter.
        shrink: How many times smaller, along each side, the map is on which attention is computed.
        inner: Channels of values and features.
        channels: Channels of what the last layer reads.
        dropout: Share of channels that are left out before the last layer, in training.
        aux: Whether there is an auxiliary head on the encoder's deepest map but one; its loss counts 0.4 in the paper.
        aux_channels: Channels of what that head's last layer reads; None takes half of ``channels``.
        align_corners: How maps are resized; released weights were trained with True.
        variant: PSA as its authors released it, or as mmsegmentation has it; for weights from there.

    Raises:
        UsageError: An unknown name, or values that do not fit.

    Source:
        Section 3.4, figure 4, table 1.
    Reading:
        The modules that table 1 compares with are not described; each stands where PSA does, with its own paper's setting.
        Eq. 8 and the released code normalise differently, and larger pictures are not spoken of: see
        ``PointwiseSpatialAttention``.

    Example:
        >>> import torch
        >>> model = PSANet(21, encoder="resnet18", crop_size=(64, 64), inner=16, channels=16).eval()
        >>> model(torch.zeros(1, 3, 65, 97)).logits.shape
        torch.Size([1, 21, 65, 97])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        encoder: str | Encoder = "resnet101c",
        output_stride: int = 8,
        pretrained: bool = False,
        encoder_weights: str | None = None,
        in_channels: int = 3,
        even_dilation: bool = False,
        context: ContextName = "psa",
        context_width: int | None = None,
        directions: Sequence[Direction] = ("collect", "distribute"),
        crop_size: Sequence[int] = (465, 465),
        max_offset: Sequence[int] | None = None,
        compact: bool = False,
        normalize: Normalize = "softmax",
        outside: Outside = "exclude",
        shrink: int = 2,
        inner: int = 512,
        channels: int = 512,
        dropout: float = 0.1,
        aux: bool = True,
        aux_channels: int | None = None,
        align_corners: bool = False,
        variant: Variant = "semseg",
    ) -> None:
        check_classes(num_classes)
        if output_stride not in (8, 16):
            raise UsageError(f"output_stride is {output_stride}; one of (8, 16) was expected, as PSA wants fine maps")
        if not 0 <= dropout < 1:
            raise UsageError(f"dropout is {dropout}; a share from 0 to below 1 was expected")
        built = make_encoder(
            encoder,
            output_stride=output_stride,
            pretrained=pretrained,
            weights=encoder_weights,
            in_channels=in_channels,
        )
        if even_dilation:
            dilate_evenly(built)
        deep, stride = built.channels[-1], built.strides[-1]
        middle: nn.Module
        if context != "psa":
            middle = build_context(
                context, deep, channels, output_stride=stride, width=context_width, align_corners=align_corners
            )
        elif not directions:
            middle = ConvNormAct(deep, channels, 3)
        else:
            middle = PointwiseContext(
                deep,
                channels,
                reach=_reach(max_offset, crop_size, stride, shrink),
                inner=inner,
                directions=directions,
                compact=compact,
                normalize=normalize,
                outside=outside,
                shrink=shrink,
                align_corners=align_corners,
                variant=variant,
            )
        side = aux_channels or max(channels // 2, 1)
        heads = {"encoder": _head(ConvNormAct(built.channels[-2], side, 3), side, num_classes, dropout)} if aux else {}
        super().__init__(
            built,
            middle,
            BilinearDecoder(),
            _head(nn.Identity(), channels, num_classes, dropout),
            heads,
            align_corners=align_corners,
        )


def _reach(
    max_offset: Sequence[int] | None, crop_size: Sequence[int], output_stride: int, shrink: int
) -> tuple[int, int]:
    if shrink < 1:
        raise UsageError(f"shrink is {shrink}; a positive integer was expected")
    if max_offset is None:
        return reach_of(crop_size, output_stride=output_stride, shrink=shrink)
    if len(max_offset) != 2:
        raise UsageError(f"max_offset is {tuple(max_offset)}; a number of rows and one of columns were expected")
    return max_offset[0], max_offset[1]


def _head(before: nn.Module, channels: int, num_classes: int, dropout: float) -> nn.Module:
    return nn.Sequential(before, nn.Dropout2d(dropout), nn.Conv2d(channels, num_classes, 1))
