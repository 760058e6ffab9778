"""Point-wise Spatial Attention Network (PSANet): Zhao, Zhang, Liu, Shi, Loy, Lin and Jia, ECCV 2018."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from attseg.arguments import check_arguments, refuse_inert
from attseg.attention.pointwise.terms import Direction, Normalize, Outside
from attseg.context import ContextName, build_context
from attseg.context.pointwise import PointwiseContext, reach_of
from attseg.decoders.bilinear import BilinearDecoder
from attseg.encoders.base import Encoder
from attseg.encoders.dilation import dilate_evenly
from attseg.encoders.named import make_encoder
from attseg.errors import UsageError
from attseg.layers import ConvNormAct
from attseg.models.frame import SegmentationModel, check_classes

PAIR_ARGUMENTS = (
    *("in_channels", "channels", "inner", "directions", "compact", "normalize", "outside", "shrink", "align_corners"),
)
"""Arguments of ``PointwiseContext`` that ``PSANet`` names itself, or that follow from the network."""


class PSANet(SegmentationModel):
    """Point-wise spatial attention behind a ResNet dilated to stride 8.

    The defaults are the paper's best setting but for the stem, which has 64, 64 and 128 channels there (``resnet101s``). Each row
    of its tables names what differs:

    ==============================  =======================================================================
    table 1, ResNet50-Baseline      ``encoder="resnet50s", directions=()``
    table 1, +GlobalPooling         ``encoder="resnet50s", context="global", context_args={"kernel": 3}``
    table 1, +ASPP                  ``encoder="resnet50s", context="aspp", context_args=V2``
    table 1, +NonLocal              ``encoder="resnet50s", context="nonlocal", context_args=C``
    table 1, +PSP                   ``encoder="resnet50s", context="psp"``
    table 1, +COLLECT (Compact)     ``encoder="resnet50s", directions=("collect",), compact=True``
    table 1, +COLLECT               ``encoder="resnet50s", directions=("collect",)``
    table 1, +DISTRIBUTE            ``encoder="resnet50s", directions=("distribute",)``
    table 1, +COLLECT+DISTRIBUTE    ``encoder="resnet50s"``; with ResNet101 ``encoder="resnet101s"``
    ==============================  =======================================================================

    The released networks have one dilation a stage and aligned corners, which fit crops of a multiple of 8 plus 1 such as 465:
    ``even_dilation=True, align_corners=True``. ``C`` is ``{"fuse": "concat", "kernel": 3}``, and ``V2`` is
    ``{"rates": (6, 12, 18, 24), "point": False, "image_pooling": False, "merge": "sum"}``.

    Args:
        num_classes: Classes K.
        encoder: Name of a network in timm, or a ready encoder.
        output_stride: Stride of the encoder's deepest map.
        pretrained: Whether to start from timm's ImageNet weights.
        encoder_weights: File with the encoder's weights, instead of ``pretrained``.
        in_channels: Channels of the image; a ready encoder has its own.
        even_dilation: One rate for all blocks of a dilated stage of a ResNet, as released, instead of timm's.
        context: ``psa``, or what the paper compares it with; ``psp`` makes this PSPNet.
        context_args: Options of that context, keyword arguments of its class; see ``build_context``. Those of ``psa`` that are
            not named here are ``reach``, instead of what follows from the crop, and ``variant``.
        directions: ``collect``, ``distribute``, both, or none: the baseline.
        crop_size: Height and width of the crops in training; PSA has filters for the offsets between any two of their positions.
        compact: Filters for absolute places instead of offsets.
        normalize: ``softmax`` over the sources of each target, or ``count``: divide by their number.
        outside: What pairs do whose offset has no filter.
        shrink: How many times smaller, along each side, the map is on which attention is computed.
        inner: Channels of PSA's values and features. A recipe may give sizes (``crop_size``, ``inner``) whatever the context;
            choices that are PSA's alone are refused beside another context.
        channels: Channels of what the last layer reads.
        dropout: Share of channels that are left out before the last layer, in training.
        aux: Whether there is an auxiliary head on the encoder's deepest map but one; its loss counts 0.4 in the paper.
        align_corners: How maps are resized; released weights were trained with True.

    Raises:
        UsageError: An unknown name, values that do not fit, or an option that does nothing beside the others.

    Source:
        Section 3.4, figure 4, table 1.
    Reading:
        The modules that table 1 compares with are not described; each stands where PSA does. What gives a second map beside the
        input, global pooling and non-local, is concatenated and merged by a 3x3 convolution as PSA is, PSP as in its own paper,
        and ASPP is that of DeepLab v2, which the row cites: see ``ASPP``. With less: rows ``psanet:readings/global-1x1`` and
        ``psanet:readings/nonlocal-add``.
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
        context_args: Mapping[str, Any] | None = None,
        directions: Sequence[Direction] = ("collect", "distribute"),
        crop_size: Sequence[int] = (465, 465),
        compact: bool = False,
        normalize: Normalize = "softmax",
        outside: Outside = "exclude",
        shrink: int = 2,
        inner: int = 512,
        channels: int = 512,
        dropout: float = 0.1,
        aux: bool = True,
        align_corners: bool = False,
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
        of_pairs: dict[str, Any] = {"compact": compact, "normalize": normalize, "outside": outside, "shrink": shrink}
        if context != "psa":
            refuse_inert(
                PSANet, {"directions": directions, **of_pairs}, beside=f"context={context!r}", needs="context='psa'"
            )
            middle = build_context(
                context,
                deep,
                channels,
                output_stride=stride,
                num_classes=num_classes,
                options=context_args,
                align_corners=align_corners,
            )
        elif not directions:
            refuse_inert(
                PSANet,
                {**of_pairs, "context_args": context_args or None},
                beside="directions=()",
                needs="directions such as ('collect',)",
            )
            middle = ConvNormAct(deep, channels, 3)
        else:
            if compact:
                refuse_inert(PSANet, {"outside": outside}, beside="compact=True", needs="compact=False")
            options = dict(context_args or {})
            check_arguments("the context 'psa' of PSANet", PointwiseContext, options, without=PAIR_ARGUMENTS)
            middle = PointwiseContext(
                deep,
                channels,
                inner=inner,
                directions=directions,
                **of_pairs,
                align_corners=align_corners,
                **{"reach": _reach(crop_size, stride, shrink), **options},
            )
        side = max(channels // 2, 1)
        heads = {"encoder": auxiliary_head(built.channels[-2], side, num_classes, dropout)} if aux else {}
        super().__init__(
            built,
            middle,
            BilinearDecoder(),
            _head(nn.Identity(), channels, num_classes, dropout),
            heads,
            align_corners=align_corners,
        )


def _reach(crop_size: Sequence[int], output_stride: int, shrink: int) -> tuple[int, int]:
    if shrink < 1:
        raise UsageError(f"shrink is {shrink}; a positive integer was expected")
    return reach_of(crop_size, output_stride=output_stride, shrink=shrink)


def auxiliary_head(in_channels: int, channels: int, num_classes: int, dropout: float) -> nn.Sequential:
    """The head on the encoder's deepest map but one: a 3x3 convolution to ``channels``, then a 1x1 convolution."""
    return _head(ConvNormAct(in_channels, channels, 3), channels, num_classes, dropout)


def _head(before: nn.Module, channels: int, num_classes: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(before, nn.Dropout2d(dropout), nn.Conv2d(channels, num_classes, 1))
