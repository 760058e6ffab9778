"""Every encoder, by name: what ``attseg.encoders`` exports, and what the models' ``encoder`` takes."""

from __future__ import annotations

from functools import partial

from attseg.encoders.base import Encoder
from attseg.encoders.features import FeaturesEncoder
from attseg.encoders.timm import TimmEncoder
from attseg.encoders.vgg import FULLY_CONVOLUTIONAL, LARGE_FOV, VGGFCN, VGGLargeFOV
from attseg.encoders.vit import VitEncoder, is_vit
from attseg.errors import UsageError

__all__ = ["VGGFCN", "Encoder", "TimmEncoder", "VGGLargeFOV", "VitEncoder", "make_encoder"]


def make_encoder(
    encoder: str | Encoder, *, output_stride: int, pretrained: bool, weights: str | None, in_channels: int = 3
) -> Encoder:
    """The encoder by its name, in timm, ``vgg16-largefov`` or ``vgg16-fcn``, or the ready one that was handed in."""
    if isinstance(encoder, str):
        kinds = {LARGE_FOV: VGGLargeFOV, FULLY_CONVOLUTIONAL: VGGFCN}
        kind = kinds.get(encoder) or partial(VitEncoder if is_vit(encoder) else TimmEncoder, encoder)
        return kind(output_stride=output_stride, pretrained=pretrained, weights=weights, in_channels=in_channels)
    if not isinstance(encoder, Encoder):
        encoder = FeaturesEncoder(encoder)
    if in_channels not in (3, encoder.in_channels):
        raise UsageError(
            f"in_channels is {in_channels}, and the encoder that was handed in takes {encoder.in_channels} channels; build it "
            f"with in_channels={in_channels}, or leave the argument out"
        )
    if pretrained or weights is not None:
        raise UsageError(
            "pretrained and encoder_weights are for encoders given by name; load a ready module's weights yourself"
        )
    return encoder
