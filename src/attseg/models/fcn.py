"""The baselines: a fully convolutional network with any context and any decoder."""

from __future__ import annotations

from typing import Literal, get_args

from torch import nn

from attseg.context import ContextName, build_context
from attseg.decoders.bilinear import BilinearDecoder
from attseg.decoders.topdown import TopDownDecoder
from attseg.encoders.base import Encoder
from attseg.errors import unknown
from attseg.models.frame import SegmentationModel, check_classes, make_encoder

DecoderName = Literal["bilinear", "skip", "gau"]


class FCN(SegmentationModel):
    """An encoder, a context, a decoder, and nothing else: what the papers compare with.

    Args:
        num_classes: Classes K.
        encoder: Name of a convolutional network in timm, or a ready encoder.
        output_stride: Stride of the encoder's deepest map.
        pretrained: Whether to start from timm's ImageNet weights.
        encoder_weights: File with the encoder's weights, instead of ``pretrained``.
        context: What sits on the deepest map; see ``build_context``.
        decoder: ``bilinear`` resizes the logits; ``skip`` adds the finer maps on the way back; ``gau`` adds them guided by
            global attention.
        channels: Channels of context and decoder.

    Raises:
        UsageError: An unknown name, or values that do not fit.

    Source:
        Row "ResNet101" of table 1 of Li et al., BMVC 2018, is the default.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        encoder: str | Encoder = "resnet101c",
        output_stride: int = 16,
        pretrained: bool = False,
        encoder_weights: str | None = None,
        context: ContextName = "none",
        decoder: DecoderName = "bilinear",
        channels: int = 256,
    ) -> None:
        check_classes(num_classes)
        built = make_encoder(encoder, output_stride=output_stride, pretrained=pretrained, weights=encoder_weights)
        *lows, deep = built.channels
        back: nn.Module
        if decoder == "bilinear":
            back = BilinearDecoder()
        elif decoder in ("skip", "gau"):
            back = TopDownDecoder(lows, channels, context=decoder == "gau")
        else:
            raise unknown("decoder", decoder, get_args(DecoderName))
        middle = build_context(context, deep, channels, output_stride=built.strides[-1])
        super().__init__(built, middle, back, nn.Conv2d(channels, num_classes, 3, padding=1))
