"""DF-DAM's decoder: the two deepest maps become the context, the finest map adds what the context has confidence in."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from attseg.attention.fusion import DualAttentionFusion, Gates
from attseg.attention.position import Confidence, PositionAttention
from attseg.decoders.base import Decoded
from attseg.errors import UsageError
from attseg.layers import resize


class DualDecoder(nn.Module):
    """Fuses the two deepest maps (DAFM), filters the finest by the result (2DPAM), and adds the two.

    The encoder's maps in between are not used. Its sides are ``context``, what DAFM gives, at the size of the deepest map but
    one, and ``spatial``, what 2DPAM leaves of the finest map.

    Args:
        low_channels: Channels of the encoder's maps above the deepest, finest first; at least one.
        channels: Channels of the deepest map and of the output.
        gates: Which maps DAFM weighs; ``none`` is a plain sum.
        confidence: What 2DPAM finds its confidence from; ``none`` takes the finest map as it is.

    Raises:
        UsageError: No map above the deepest, or an unknown setting.

    Source:
        Xiong et al., arXiv 1911.08149, sections 3.4 and 4.2, figure 2, tables 1 and 2.
    Reading:
        What becomes of the finest map without 2DPAM, in the rows "Sum" and "DAFM", is not said; it is added as it is.
        Context is supervised where DAFM gives it and spatial information where 2DPAM gives it.
    """

    def __init__(
        self, low_channels: Sequence[int], channels: int, *, gates: Gates = "both", confidence: Confidence = "raw"
    ) -> None:
        super().__init__()
        if not low_channels:
            raise UsageError(
                "the encoder gives a single map; the dual decoder adds a finer one, so it needs at least two"
            )
        self.fusion = DualAttentionFusion(low_channels[-1], channels, gates=gates)
        self.position = PositionAttention(low_channels[0], channels, confidence=confidence)

    def forward(self, lows: Sequence[Tensor], high: Tensor) -> Decoded:
        """Bring ``high`` (N, C, H', W') to the size of ``lows[0]``; ``lows`` are finest first."""
        context = self.fusion(lows[-1], high)
        fine = resize(context, lows[0].shape[-2:])
        spatial = self.position(lows[0], fine)
        return Decoded(spatial + fine, {"context": context, "spatial": spatial})
