"""The baselines: a fully convolutional network with any context and any decoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from torch import Tensor, nn

from attseg.context import ContextName, build_context
from attseg.context.aspp import AtrousClassifier
from attseg.decoders import DecoderName, build_decoder
from attseg.decoders.skip_scores import SkipScores
from attseg.encoders.base import Encoder
from attseg.encoders.named import make_encoder
from attseg.errors import UsageError, unknown
from attseg.models.frame import SegmentationModel, check_classes

HeadName = Literal["conv", "linear", "atrous", "skips"]


class FCN(SegmentationModel):
    """An encoder, a context, a decoder, and nothing else: what the papers compare with.

    Args:
        num_classes: Classes K.
        encoder: Name of a network in timm (convolutional, Swin, ViT), ``vgg16-largefov``, ``vgg16-fcn``, or a ready encoder.
        output_stride: Stride of the encoder's deepest map.
        pretrained: Whether to start from timm's ImageNet weights.
        encoder_weights: File with the encoder's weights, instead of ``pretrained``.
        in_channels: Channels of the image; a ready encoder has its own.
        context: What sits on the deepest map; see ``build_context``.
        context_args: Options of that context, keyword arguments of its class.
        decoder: What brings its result back to finer maps; see ``build_decoder``.
        decoder_args: Options of that decoder, keyword arguments of its class.
        channels: Channels of context and decoder.
        head: ``conv`` is a 3x3 convolution on what the decoder gives; ``linear`` is a single 1x1 convolution from the encoder's
            deepest map to the classes, ``atrous`` the sum of four dilated 3x3 convolutions from there, ``skips`` the scores of
            the maps at strides 8, 16 and 32, brought together by transposed convolutions: with these three there is neither
            context nor decoder, and ``channels`` does nothing.
        align_corners: How logits and the maps of the context are resized. True fits crops of a multiple of 8 plus 1, such as 321.

    Raises:
        UsageError: An unknown name, or values that do not fit.

    Source:
        Row "ResNet101" of table 1 of Li et al., BMVC 2018, is the default. DeepLab-LargeFOV (Chen et al., ICLR 2015) is
        ``encoder="vgg16-largefov", output_stride=8, head="linear"``; DeepLab v2 (Chen et al., arXiv 1606.00915) without its
        multiple scales is ``encoder="resnet101", output_stride=8, head="atrous"``. FCN-8s (Long et al., CVPR 2015) is
        ``encoder="vgg16-fcn", output_stride=32, head="skips"``.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        encoder: str | Encoder = "resnet101c",
        output_stride: int = 16,
        pretrained: bool = False,
        encoder_weights: str | None = None,
        in_channels: int = 3,
        context: ContextName = "none",
        context_args: Mapping[str, Any] | None = None,
        decoder: DecoderName = "bilinear",
        decoder_args: Mapping[str, Any] | None = None,
        channels: int = 256,
        head: HeadName = "conv",
        align_corners: bool = False,
    ) -> None:
        check_classes(num_classes)
        built = make_encoder(
            encoder,
            output_stride=output_stride,
            pretrained=pretrained,
            weights=encoder_weights,
            in_channels=in_channels,
        )
        *lows, deep = built.channels
        back: nn.Module = build_decoder(decoder, lows, channels, options=decoder_args)
        middle: nn.Module
        last: nn.Module
        if head == "conv":
            middle = build_context(
                context,
                deep,
                channels,
                output_stride=built.strides[-1],
                num_classes=num_classes,
                options=context_args,
                align_corners=align_corners,
            )
            last = nn.Conv2d(channels, num_classes, 3, padding=1)
        elif head in ("linear", "atrous", "skips"):
            if context != "none" or context_args or decoder != "bilinear":
                raise UsageError(
                    f"the head {head!r} reads the encoder's deepest map, which leaves no place for context={context!r} and "
                    f"decoder={decoder!r}; take context='none' and decoder='bilinear', or head='conv'"
                )
            middle = nn.Identity()
            if head == "skips":
                back, last = SkipScores(lows, deep, num_classes, strides=built.strides), nn.Identity()
            else:
                last = nn.Conv2d(deep, num_classes, 1) if head == "linear" else AtrousClassifier(deep, num_classes)
        else:
            raise unknown("head", head, get_args(HeadName))
        super().__init__(built, middle, back, last, align_corners=align_corners)
        self.pixelwise = head == "skips"

    def _fit(self, logits: Tensor, images: Tensor) -> Tensor:
        if self.pixelwise:  # a logit a pixel, and some beyond the border
            return logits[..., : images.shape[-2], : images.shape[-1]]
        return super()._fit(logits, images)
