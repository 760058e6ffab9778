"""PAN's decoder: one global attention upsample for every finer map of the encoder."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from attseg.attention.upsample import Gate, GlobalAttentionUpsample
from attseg.decoders.base import Decoded


class TopDownDecoder(nn.Module):
    """Climbs from the deepest map to the finest, one GAU a step.

    Args:
        low_channels: Channels of the encoder's maps above the deepest, finest first.
        channels: Channels of the deepest map and of the output.
        context: Whether global context guides each step; without it every step is a plain skip connection.
        kernel: Kernel on the finer maps.
        gate: Non-linearity of the guidance.
        skip_relu: As in ``GlobalAttentionUpsample``.
        align_corners: As there.

    Source:
        Li et al., BMVC 2018, section 3.3, figure 2, table 3.
    """

    def __init__(
        self,
        low_channels: Sequence[int],
        channels: int,
        *,
        context: bool = True,
        kernel: int = 3,
        gate: Gate = "sigmoid",
        skip_relu: bool = False,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            GlobalAttentionUpsample(
                low,
                channels,
                context=context,
                kernel=kernel,
                gate=gate,
                skip_relu=skip_relu,
                align_corners=align_corners,
            )
            for low in low_channels
        )

    def forward(self, lows: Sequence[Tensor], high: Tensor) -> Decoded:
        """Bring ``high`` (N, C, H', W') to the size of ``lows[0]``; ``lows`` are finest first."""
        for step, low in zip(reversed(self.steps), reversed(lows), strict=True):
            high = step(low, high)
        return Decoded(high, {})
