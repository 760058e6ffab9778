"""OCRNet as a context: Yuan, Chen and Wang, ECCV 2020, arXiv 1909.11065, figure 3."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, cat, nn

from attseg.attention.object import ObjectAttention
from attseg.context.base import WithSides
from attseg.layers import ConvNormAct


class ObjectContext(nn.Module):
    """Object-contextual representations beside the position's own; its coarse scores are the auxiliary output ``coarse``.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        num_classes: Classes K.
        inner: As of ``ObjectAttention``.

    Source:
        Sections 3.2 and 3.3, figure 3, equation 11. The paper's loss weighs the coarse scores 0.4.
    Reading:
        On ResNets the paper takes coarse scores from the stage before the last. Here they are of the deepest map, the only one
        that a context sees, as on HRNet there: a 1x1 convolution with batch normalisation and ReLU, and one to the classes.
        Without labels for the coarse scores (``aux`` of the loss) its regions mean nothing.

    Example:
        >>> import torch
        >>> made = ObjectContext(16, 8, num_classes=3, inner=4)(torch.zeros(2, 16, 5, 7))
        >>> made.features.shape, made.sides["coarse"].shape
        (torch.Size([2, 8, 5, 7]), torch.Size([2, 3, 5, 7]))
    """

    logit_sides = ("coarse",)

    def __init__(self, in_channels: int, channels: int, *, num_classes: int, inner: int = 256) -> None:
        super().__init__()
        self.coarse = nn.Sequential(ConvNormAct(in_channels, in_channels), nn.Conv2d(in_channels, num_classes, 1))
        self.reduce = ConvNormAct(in_channels, channels, 3)
        self.gather = ObjectAttention(channels, inner=inner)
        self.merge = ConvNormAct(2 * channels, channels)

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> WithSides:
        """Bring (N, in_channels, H, W) to (N, channels, H, W), with coarse scores (N, K, H, W)."""
        coarse, reduced = self.coarse(features), self.reduce(features)
        return WithSides(self.merge(cat([self.gather(reduced, coarse), reduced], 1)), {"coarse": coarse})
