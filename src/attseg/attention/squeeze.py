"""Squeeze-and-excitation (SE): Hu et al., CVPR 2018, as PAN's table 1 puts it in the place of its pyramid."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.tap import Tap


class SqueezeExcitation(nn.Module):
    """Reweighs channels by what the whole picture holds (SE).

    Args:
        channels: Channels of the input and of the output.
        reduction: What the hidden layer divides the channels by.

    Source:
        Hu et al., Squeeze-and-Excitation Networks, section 3; row "ResNet101+SE" of table 1 of Li et al., BMVC 2018.
    Reading:
        PAN's table gives no reduction; 16 is that of the SE paper.
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        hidden = max(channels // reduction, 1)
        self.weigh = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1), nn.Sigmoid()
        )
        self.attention = Tap("channel", "se")

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Reweigh the channels of (N, C, H, W)."""
        return features * self.attention(self.weigh(features.mean((2, 3), keepdim=True)))
