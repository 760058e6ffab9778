"""Decoders: each takes the encoder's maps and the context's output to ``Decoded``, at a finer stride."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.decoders.base import Decoded
    from attseg.decoders.bilinear import BilinearDecoder
    from attseg.decoders.dual import DualDecoder
    from attseg.decoders.global_convolution import GlobalConvolutionDecoder
    from attseg.decoders.mlp import MLPDecoder
    from attseg.decoders.named import DecoderName, build_decoder
    from attseg.decoders.pyramid import FeaturePyramidDecoder
    from attseg.decoders.refinement import RefinementDecoder
    from attseg.decoders.topdown import TopDownDecoder

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

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.decoders.base": "Decoded",
        "attseg.decoders.bilinear": "BilinearDecoder",
        "attseg.decoders.dual": "DualDecoder",
        "attseg.decoders.global_convolution": "GlobalConvolutionDecoder",
        "attseg.decoders.mlp": "MLPDecoder",
        "attseg.decoders.named": "DecoderName build_decoder",
        "attseg.decoders.pyramid": "FeaturePyramidDecoder",
        "attseg.decoders.refinement": "RefinementDecoder",
        "attseg.decoders.topdown": "TopDownDecoder",
    },
)
