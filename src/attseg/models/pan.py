"""Pyramid Attention Network (PAN): Li, Xiong, An and Wang, BMVC 2018, arXiv 1805.10180."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch import nn

from attseg.arguments import refuse_inert
from attseg.attention.pyramid import FeaturePyramidAttention, GlobalMerge, Pool
from attseg.attention.upsample import Gate
from attseg.context import ContextName, build_context
from attseg.decoders.bilinear import BilinearDecoder
from attseg.decoders.topdown import TopDownDecoder
from attseg.encoders.base import Encoder
from attseg.encoders.named import make_encoder
from attseg.errors import unknown
from attseg.models.frame import SegmentationModel, check_classes


class PAN(SegmentationModel):
    """Feature pyramid attention on the deepest map, global attention upsample on the way back.

    The defaults are the paper's best setting; each row of its tables names what differs:

    ==============================  =======================================================================
    table 1, ResNet101              ``context="none", decoder="bilinear"``
    table 1, +SE                    ``context="se", decoder="bilinear"``
    table 1, +C333+MAX              ``pyramid_kernels=(3, 3, 3), pyramid_pool="max", global_branch=False, decoder="bilinear"``
    table 1, +C357+AVE              ``global_branch=False, decoder="bilinear"``
    table 1, +C357+AVE+GP           ``decoder="bilinear"``
    table 2, +PSPNet*               ``context="psp", decoder="bilinear"``
    table 2, DeepLab V3             ``context="aspp", decoder="bilinear"``
    table 3, without GP, 3x3        ``context="none", gau_context=False``
    table 3, with GP, 1x1           ``context="none", gau_kernel=1``
    table 3, with GP, 3x3           ``context="none"``
    ==============================  =======================================================================

    Args:
        num_classes: Classes K.
        encoder: Name of a network in timm (convolutional, Swin, ViT), ``vgg16-largefov``, ``vgg16-fcn``, or a ready encoder.
        output_stride: Stride of the encoder's deepest map.
        pretrained: Whether to start from timm's ImageNet weights.
        encoder_weights: File with the encoder's weights, instead of ``pretrained``.
        in_channels: Channels of the image; a ready encoder has its own.
        context: ``fpa``; ``se`` and ``none`` are rows of table 1, ``psp`` and ``aspp`` of table 2; see ``build_context``.
        pyramid_kernels: Kernels of FPA's levels, finest first.
        pyramid_pool: How FPA halves maps.
        pyramid_channels: Channels within FPA's pyramid.
        global_branch: FPA's pooled branch.
        global_merge: Whether that branch is added to the rest of FPA, or concatenated with it.
        decoder: ``gau`` climbs through the encoder's maps; ``bilinear`` resizes the logits.
        gau_context: Whether global context guides the skip connections.
        gau_kernel: Kernel on the low-level maps.
        gate: Non-linearity of that guidance.
        channels: Channels of context and decoder.
        context_args: Options of a context other than ``fpa``, whose options are those above; see ``build_context``.

    Raises:
        UsageError: An unknown name, values that do not fit, or an option that does nothing beside the others.

    Source:
        Section 3.3, figure 2, tables 1 and 3.
    Reading:
        The paper does not say how many channels context and decoder have; 256, as most decoders since.
        Its rows without FPA need something that brings 2048 channels to these: a 1x1 convolution with batch normalisation.
        The last layer is a 3x3 convolution to the classes, on the finest map that the decoder gives.

    Example:
        >>> import torch
        >>> PAN(21, encoder="resnet18").eval()(torch.zeros(1, 3, 65, 97)).logits.shape
        torch.Size([1, 21, 65, 97])
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
        context: ContextName = "fpa",
        pyramid_kernels: Sequence[int] = (7, 5, 3),
        pyramid_pool: Pool = "avg",
        pyramid_channels: int = 1,
        global_branch: bool = True,
        global_merge: GlobalMerge = "add",
        decoder: Literal["gau", "bilinear"] = "gau",
        gau_context: bool = True,
        gau_kernel: int = 3,
        gate: Gate = "sigmoid",
        channels: int = 256,
        context_args: Mapping[str, Any] | None = None,
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
        pyramid = {
            "pyramid_kernels": pyramid_kernels,
            "pyramid_pool": pyramid_pool,
            "pyramid_channels": pyramid_channels,
            "global_branch": global_branch,
            "global_merge": global_merge,
        }
        guidance = {"gau_context": gau_context, "gau_kernel": gau_kernel, "gate": gate}
        middle: nn.Module
        if context == "fpa":
            refuse_inert(PAN, {"context_args": context_args or None}, beside="context='fpa'", needs=", ".join(pyramid))
            if not global_branch:
                refuse_inert(
                    PAN, {"global_merge": global_merge}, beside="global_branch=False", needs="global_branch=True"
                )
            middle = FeaturePyramidAttention(
                deep,
                channels,
                kernels=pyramid_kernels,
                pool=pyramid_pool,
                pyramid_channels=pyramid_channels,
                global_branch=global_branch,
                global_merge=global_merge,
            )
        else:
            refuse_inert(PAN, pyramid, beside=f"context={context!r}", needs="context='fpa'")
            middle = build_context(
                context, deep, channels, output_stride=built.strides[-1], num_classes=num_classes, options=context_args
            )
        back: nn.Module
        if decoder == "gau":
            if not gau_context:
                refuse_inert(PAN, {"gate": gate}, beside="gau_context=False", needs="gau_context=True")
            back = TopDownDecoder(lows, channels, context=gau_context, kernel=gau_kernel, gate=gate)
        elif decoder == "bilinear":
            refuse_inert(PAN, guidance, beside="decoder='bilinear'", needs="decoder='gau'")
            back = BilinearDecoder()
        else:
            raise unknown("decoder", decoder, ("gau", "bilinear"))
        super().__init__(built, middle, back, nn.Conv2d(channels, num_classes, 3, padding=1))
