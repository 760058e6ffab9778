"""Every decoder, by name: what ``attseg.decoders`` exports, and what ``FCN`` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

from torch import nn

from attseg.arguments import check_arguments
from attseg.decoders.base import Decoded
from attseg.decoders.bilinear import BilinearDecoder
from attseg.decoders.dual import DualDecoder
from attseg.decoders.global_convolution import GlobalConvolutionDecoder
from attseg.decoders.mlp import MLPDecoder
from attseg.decoders.pyramid import FeaturePyramidDecoder
from attseg.decoders.refinement import RefinementDecoder
from attseg.decoders.topdown import TopDownDecoder
from attseg.errors import unknown

__all__ = [
    "BilinearDecoder",
    "Decoded",
    "DecoderName",
    "DualDecoder",
    "FeaturePyramidDecoder",
    "GlobalConvolutionDecoder",
    "MLPDecoder",
    "RefinementDecoder",
    "TopDownDecoder",
    "build_decoder",
]

DecoderName = Literal["bilinear", "skip", "gau", "sum", "rrb", "gcn", "dual", "upernet", "mlp"]


KINDS: dict[DecoderName, tuple[Callable[..., nn.Module], dict[str, Any]]] = {
    "bilinear": (BilinearDecoder, {}),
    "skip": (TopDownDecoder, {"context": False}),
    "gau": (TopDownDecoder, {"context": True}),
    "sum": (DualDecoder, {"gates": "none", "confidence": "none"}),
    "dual": (DualDecoder, {}),
    "rrb": (RefinementDecoder, {}),
    "gcn": (GlobalConvolutionDecoder, {}),
    "upernet": (FeaturePyramidDecoder, {}),
    "mlp": (MLPDecoder, {}),
}
"""Class of a decoder, and the options that its name stands for."""


def build_decoder(
    name: DecoderName, low_channels: Sequence[int], channels: int, *, options: Mapping[str, Any] | None = None
) -> nn.Module:
    """A decoder by name, with its paper's best setting.

    Args:
        name: ``bilinear`` passes the deepest map on; ``skip`` adds every finer map on the way back, ``gau`` adds them guided
            by global attention (PAN); ``sum`` adds the finest map and the two deepest, ``dual`` weighs them first (DF-DAM);
            ``rrb`` refines every map and selects its channels (DFN); ``gcn`` looks at every map through large kernels;
            ``upernet`` fuses all levels of a feature pyramid; ``mlp`` fuses all maps by linear layers (SegFormer).
        low_channels: Channels of the encoder's maps above the deepest, finest first.
        channels: Channels of the deepest map, as the context gives it, and of the result.
        options: Keyword arguments of the decoder's class (``KINDS``), instead of its paper's.

    Raises:
        UsageError: There is no such decoder or option, a value does not fit, or it needs more maps than the encoder gives.
    """
    if name not in get_args(DecoderName):
        raise unknown("decoder", name, get_args(DecoderName))
    kind, own = KINDS[name]
    given = dict(options or {})
    check_arguments(f"the decoder {name!r}", kind, given, without=("low_channels", "channels", *own))
    return kind() if name == "bilinear" else kind(low_channels, channels, **own, **given)
