"""PSA as a context: Zhao et al., PSANet, ECCV 2018, section 3.4, figure 4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.pointwise.module import PointwiseSpatialAttention
from attseg.attention.pointwise.parity import ParityPointwiseSpatialAttention
from attseg.attention.pointwise.terms import Direction, Normalize, Outside
from attseg.errors import UsageError, unknown
from attseg.layers import ConvNormAct

Variant = Literal["semseg", "mmseg"]
Fuse = Literal["concat", "alone"]


class PointwiseContext(nn.Module):
    """Beside what a position holds, what it gathers and receives from all others, fused by a 3x3 convolution.

    Args:
        in_channels: Channels of the encoder's deepest map.
        channels: Channels of the result.
        reach: Largest offset with a filter, see ``PointwiseSpatialAttention``; ``reach_of`` tells a crop's.
        inner: As there, and likewise all that follow but the last two.
        variant: How maps are resized: as the paper's authors released it, or as mmsegmentation does, whose weights want
            ``ParityPointwiseSpatialAttention``.
        fuse: ``concat`` puts the input beside what is gathered, as in the paper; ``alone`` takes what is gathered without it, to
            see what attention does where it has to carry the position's own features too.

    Raises:
        UsageError: An unknown variant or way to fuse.

    Source:
        Section 3.4: PSA stands behind the last stage, and its result is concatenated with its input.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        reach: tuple[int, int],
        inner: int = 512,
        directions: Sequence[Direction] = ("collect", "distribute"),
        compact: bool = False,
        normalize: Normalize = "softmax",
        outside: Outside = "exclude",
        shrink: int = 2,
        align_corners: bool = False,
        variant: Variant = "semseg",
        fuse: Fuse = "concat",
    ) -> None:
        super().__init__()
        if variant not in get_args(Variant):
            raise unknown("variant", variant, get_args(Variant))
        if fuse not in get_args(Fuse):
            raise unknown("way to fuse", fuse, get_args(Fuse))
        self.beside = fuse == "concat"
        kind = ParityPointwiseSpatialAttention if variant == "mmseg" else PointwiseSpatialAttention
        self.psa = kind(
            in_channels,
            reach=reach,
            inner=inner,
            directions=directions,
            compact=compact,
            normalize=normalize,
            outside=outside,
            shrink=shrink,
            align_corners=align_corners,
        )
        self.fuse = ConvNormAct((1 + self.beside) * in_channels, channels, 3)

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Bring (N, in_channels, H, W) to (N, channels, H, W)."""
        gathered = self.psa(features)
        return self.fuse(torch.cat([features, gathered], 1) if self.beside else gathered)


def reach_of(crop_size: Sequence[int], *, output_stride: int, shrink: int = 2) -> tuple[int, int]:
    """Largest offset between two positions of a crop, in rows and columns of the map on which attention is computed.

    Args:
        crop_size: Height and width of the pictures in training.
        output_stride: Pixels to one step on the encoder's deepest map.
        shrink: Steps of that map to one of the shrunk map.

    Raises:
        UsageError: Not a height and a width, or an empty one.

    Example:
        >>> reach_of((465, 465), output_stride=8)
        (29, 29)
    """
    if len(crop_size) != 2 or min(crop_size) < 1:
        raise UsageError(f"the crop size is {tuple(crop_size)}; a height and a width in pixels were expected")
    height, width = ((-(-side // output_stride) - 1) // shrink for side in crop_size)
    return height, width
