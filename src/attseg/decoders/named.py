"""Decoders by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from torch import nn

from attseg.decoders.bilinear import BilinearDecoder
from attseg.decoders.dual import DualDecoder
from attseg.decoders.global_convolution import GlobalConvolutionDecoder
from attseg.decoders.refinement import RefinementDecoder
from attseg.decoders.topdown import TopDownDecoder
from attseg.errors import unknown

DecoderName = Literal["bilinear", "skip", "gau", "sum", "rrb", "gcn", "dual"]


def build_decoder(name: DecoderName, low_channels: Sequence[int], channels: int) -> nn.Module:
    """A decoder by name, with its paper's best setting.

    Args:
        name: ``bilinear`` passes the deepest map on; ``skip`` adds every finer map on the way back, ``gau`` adds them guided
            by global attention (PAN); ``sum`` adds the finest map and the two deepest, ``dual`` weighs them first (DF-DAM);
            ``rrb`` refines every map and selects its channels (DFN); ``gcn`` looks at every map through large kernels.
        low_channels: Channels of the encoder's maps above the deepest, finest first.
        channels: Channels of the deepest map, as the context gives it, and of the result.

    Raises:
        UsageError: There is no such decoder, or it needs more maps than the encoder gives.
    """
    match name:
        case "bilinear":
            return BilinearDecoder()
        case "skip" | "gau":
            return TopDownDecoder(low_channels, channels, context=name == "gau")
        case "sum":
            return DualDecoder(low_channels, channels, gates="none", confidence="none")
        case "rrb":
            return RefinementDecoder(low_channels, channels)
        case "gcn":
            return GlobalConvolutionDecoder(low_channels, channels)
        case "dual":
            return DualDecoder(low_channels, channels)
    raise unknown("decoder", name, get_args(DecoderName))
