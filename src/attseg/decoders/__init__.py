"""Decoders: each takes the encoder's maps and the context's output to ``Decoded``, at a finer stride."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy_from

if TYPE_CHECKING:
    from attseg.decoders.named import *  # noqa: F403 its __all__

__getattr__, __dir__ = lazy_from(__name__, "attseg.decoders.named")
