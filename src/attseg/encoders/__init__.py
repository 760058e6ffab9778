"""Encoders: networks that give maps of an image at the strides 4, 8, 16 and 32, or kept at 16 or 8."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.encoders.base import Encoder
    from attseg.encoders.timm import TimmEncoder
    from attseg.encoders.vgg import VGGLargeFOV
    from attseg.encoders.vit import VitEncoder

__all__ = [
    "Encoder",
    "TimmEncoder",
    "VGGLargeFOV",
    "VitEncoder",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.encoders.base": "Encoder",
        "attseg.encoders.timm": "TimmEncoder",
        "attseg.encoders.vgg": "VGGLargeFOV",
        "attseg.encoders.vit": "VitEncoder",
    },
)
