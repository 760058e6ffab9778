"""Encoders: networks that give maps of an image at the strides 4, 8, 16 and 32, or kept at 16 or 8."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy_from

if TYPE_CHECKING:
    from attseg.encoders.named import *  # noqa: F403 its __all__

__getattr__, __dir__ = lazy_from(__name__, "attseg.encoders.named")
