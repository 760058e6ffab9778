"""DF-DAM, features told apart by dedicated attention: Xiong, Wang, Yu and Gu, 2019, arXiv 1911.08149."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from torch import nn

from attseg.attention.fusion import Gates
from attseg.attention.position import Confidence
from attseg.context import ContextName, build_context
from attseg.decoders.dual import DualDecoder
from attseg.encoders.base import Encoder
from attseg.encoders.named import make_encoder
from attseg.errors import unknown
from attseg.layers import ConvNormAct
from attseg.models.frame import SegmentationModel, check_classes

Side = Literal["context", "spatial"]


class DFDAM(SegmentationModel):
    """Fuses the two deepest maps by dual attention, and adds of the finest map what the result has confidence in.

    The defaults are the paper's best setting; each row of its tables names what differs:

    ==============================  =======================================================================
    tables 1 and 2, Sum             ``gates="none", confidence="none"``
    tables 1 and 2, DAFM            ``confidence="none"``
    tables 1 and 2, DAFM + 2DPAM    the defaults
    table 1, Res50                  ``encoder="resnet50"``
    table 2, Res18                  ``encoder="resnet18"``
    ==============================  =======================================================================

    Args:
        num_classes: Classes K.
        encoder: Name of a convolutional network in timm, or a ready encoder.
        output_stride: Stride of the encoder's deepest map.
        pretrained: Whether to start from timm's ImageNet weights.
        encoder_weights: File with the encoder's weights, instead of ``pretrained``.
        in_channels: Channels of the image; a ready encoder has its own.
        context: What brings the deepest map to ``channels``; ``none``, a 1x1 convolution, is the paper's.
        context_args: Options of that context, keyword arguments of its class; see ``build_context``.
        gates: Which of the two deepest maps DAFM weighs; ``high`` or ``low`` leaves one gate, ``none`` a plain sum.
        confidence: Which form of the finest map 2DPAM reads beside the context, or ``none`` for the finest map as it is.
        aux: Auxiliary heads, used in training alone: ``context`` reads what DAFM gives, ``spatial`` what 2DPAM gives. The
            paper's loss weighs them 0.4 and 0.1.
        channels: Channels of context and decoder.

    Raises:
        UsageError: An unknown name, or values that do not fit.

    Source:
        Section 3.4, figure 2, equation 12, tables 1, 2, 4 and 6.
    Reading:
        The paper draws the refine block and the auxiliary heads and describes neither. Here the refine block is a 3x3
        convolution with batch normalisation and ReLU, and a 1x1 convolution to the classes; an auxiliary head is the same with
        a quarter of the channels in between. With an output stride of 32 and a stem of one 7x7 convolution this gives
        11.57 M parameters and 10.29 G multiply-adds on ResNet-18 with 19 classes (table 4 prints 11.57 and 10.31), and 43.24 M
        and 35.47 G on ResNet-101 with 21 (table 6 prints 43.24 and 35.52), for pictures of 320 x 640, auxiliary heads
        included. Other splits of the channels between these heads would fit as well.

    Example:
        >>> import torch
        >>> DFDAM(21, encoder="resnet18").eval()(torch.zeros(1, 3, 65, 97)).logits.shape
        torch.Size([1, 21, 65, 97])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        encoder: str | Encoder = "resnet101",
        output_stride: int = 32,
        pretrained: bool = False,
        encoder_weights: str | None = None,
        in_channels: int = 3,
        context: ContextName = "none",
        context_args: Mapping[str, Any] | None = None,
        gates: Gates = "both",
        confidence: Confidence = "raw",
        aux: Sequence[Side] = ("context", "spatial"),
        channels: int = 128,
    ) -> None:
        check_classes(num_classes)
        for side in aux:
            if side not in get_args(Side):
                raise unknown("auxiliary head", side, get_args(Side))
        built = make_encoder(
            encoder,
            output_stride=output_stride,
            pretrained=pretrained,
            weights=encoder_weights,
            in_channels=in_channels,
        )
        *lows, deep = built.channels
        super().__init__(
            built,
            build_context(
                context, deep, channels, output_stride=built.strides[-1], num_classes=num_classes, options=context_args
            ),
            DualDecoder(lows, channels, gates=gates, confidence=confidence),
            _refine(channels, channels, num_classes),
            {side: _refine(channels, max(channels // 4, 1), num_classes) for side in aux},
        )


def _refine(channels: int, hidden: int, num_classes: int) -> nn.Module:
    """The refine block, which gives logits."""
    return nn.Sequential(ConvNormAct(channels, hidden, 3), nn.Conv2d(hidden, num_classes, 1))
