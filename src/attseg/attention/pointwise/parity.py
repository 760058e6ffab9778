"""The PSA module as mmsegmentation has it, which is not what the paper's authors released, so that its weights can be used."""

from __future__ import annotations

from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.pointwise.module import PointwiseSpatialAttention
from attseg.layers import resize


class ParityPointwiseSpatialAttention(PointwiseSpatialAttention):
    """PSA whose resizing depends on whether both sides of the map are odd, and whose result is given a border.

    Args:
        channels: Channels of the input and of the output.
        **options: Those of ``PointwiseSpatialAttention``; ``align_corners`` counts where nothing is shrunk.

    Source:
        mmsegmentation, ``mmseg/models/decode_heads/psa_head.py``.
    Differs:
        The 1x1 convolution that projects pads its input by 1, so that what it gives has a border of the value that it has for
        nothing; the whole, two rows and columns larger, is resized to the size of the map.
        Maps with an odd height and width are shrunk to every second position, with aligned corners; others are halved, rounding
        down, without. Released code knows odd sizes alone.

    Example:
        >>> psa = ParityPointwiseSpatialAttention(16, reach=(3, 4), inner=8)
        >>> psa(torch.zeros(2, 16, 11, 6)).shape
        torch.Size([2, 16, 11, 6])
    """

    def __init__(self, channels: int, **options: Any) -> None:
        super().__init__(channels, **options)
        cast(nn.Conv2d, self.project[0]).padding = (1, 1)

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The sum over all other positions, at every position: (N, C, H, W)."""
        attended = [branch(self._shrunk(branch.reduce(maps))) for branch in self._branches()]
        gathered = self.project(torch.cat(attended, 1))  # (N, C, h + 2, w + 2)
        return resize(gathered, maps.shape[-2:], align_corners=self._aligned(maps))

    def _shrunk(self, maps: Tensor) -> Tensor:
        if self.shrink == 1:
            return maps
        aligned = self._aligned(maps)
        size = ((side - 1) // self.shrink + 1 if aligned else side // self.shrink for side in maps.shape[-2:])
        return resize(maps, tuple(size), align_corners=aligned)

    def _aligned(self, maps: Tensor) -> bool:
        if self.shrink == 1:
            return self.align_corners
        return all(side % self.shrink != 0 for side in maps.shape[-2:])
