"""Contexts, which sit on the deepest map: each takes (N, in_channels, H, W) to (N, channels, H, W)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy_from

if TYPE_CHECKING:
    from attseg.context.named import *  # noqa: F403 its __all__

__getattr__, __dir__ = lazy_from(__name__, "attseg.context.named")
