"""The skip architecture of FCN-8s: Long, Shelhamer and Darrell, CVPR 2015, arXiv 1411.4038, section 4.2, figure 3."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from attseg.decoders.base import Decoded
from attseg.errors import UsageError


class SkipScores(nn.Module):
    """Scores of the three deepest maps, added up from coarse to fine by transposed convolutions that learn.

    Args:
        low_channels: Channels of the encoder's maps above the deepest, finest first; the last two are read.
        in_channels: Channels of the deepest map.
        num_classes: Classes K.
        strides: Of all the encoder's maps; the last three have to be 8, 16 and 32.

    Raises:
        UsageError: The maps have other strides.

    Source:
        Sections 3.3, 4.1 and 4.2. Score layers begin with zeros, transposed convolutions with bilinear interpolation.
    Reading:
        The paper fixes the last transposed convolution to bilinear interpolation; the released network of FCN-8s has a kernel for
        each pair of classes, which is part of the printed parameters. Here it learns as the others do.

    Example:
        >>> import torch
        >>> decoder = SkipScores((8, 16), 32, 5, strides=(8, 16, 32))
        >>> maps = [torch.zeros(1, 8, 9, 12), torch.zeros(1, 16, 5, 6)]
        >>> decoder(maps, torch.zeros(1, 32, 3, 3)).fused.shape  # (9, 12) cells at stride 8, pixel by pixel
        torch.Size([1, 5, 72, 96])
    """

    def __init__(
        self, low_channels: Sequence[int], in_channels: int, num_classes: int, *, strides: Sequence[int]
    ) -> None:
        super().__init__()
        if tuple(strides[-3:]) != (8, 16, 32):
            raise UsageError(
                f"the encoder's maps have strides {tuple(strides)}; scores are brought together from strides 8, 16 and 32: give "
                "an encoder that has them, such as vgg16-fcn or resnet50 with output_stride=32"
            )
        self.deep = nn.Conv2d(in_channels, num_classes, 1)
        self.middle = nn.Conv2d(low_channels[-1], num_classes, 1)
        self.fine = nn.Conv2d(low_channels[-2], num_classes, 1)
        for score in (self.deep, self.middle, self.fine):
            nn.init.zeros_(score.weight)
            nn.init.zeros_(score.bias)  # type: ignore[arg-type] # these convolutions have one
        self.twice = nn.ModuleList(_enlarging(num_classes, 2) for _ in range(2))
        self.whole = _enlarging(num_classes, 8)

    def forward(self, lows: Sequence[Tensor], high: Tensor) -> Decoded:
        """Scores (N, K, 8 h, 8 w) of ``lows``, finest first, of which the last but one has (h, w) cells, and of ``high``."""
        scores = self.deep(high)
        for enlarge, finer in zip(self.twice, (self.middle(lows[-1]), self.fine(lows[-2])), strict=True):
            scores = _cut(enlarge(scores), finer) + finer
        return Decoded(self.whole(scores), {})


def _enlarging(channels: int, factor: int) -> nn.ConvTranspose2d:
    """Bilinear interpolation by a factor, as a transposed convolution with a kernel for each pair of channels."""
    layer = nn.ConvTranspose2d(channels, channels, 2 * factor, factor, factor // 2, bias=False)
    ramp = 1 - (torch.arange(2 * factor) - factor + 0.5).abs() / factor
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[range(channels), range(channels)] = torch.outer(ramp, ramp).to(layer.weight)
    return layer


def _cut(scores: Tensor, like: Tensor) -> Tensor:
    """Without the last row or column, where the finer map has an odd side."""
    return scores[..., : like.shape[-2], : like.shape[-1]]
