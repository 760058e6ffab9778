"""The naive decoder: no finer map is used, the logits are resized from the deepest map."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from attseg.decoders.base import Decoded


class BilinearDecoder(nn.Module):
    """Passes the deepest map on as it is."""

    def forward(self, lows: Sequence[Tensor], high: Tensor) -> Decoded:
        """Ignore ``lows``; give back ``high`` (N, C, H, W)."""
        return Decoded(high, {})
