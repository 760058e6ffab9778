"""Global context block (GC): Cao et al., GCNet, ICCV workshops 2019, arXiv 1904.11492, section 3.3, figure 4d."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.tap import Tap
from attseg.errors import UsageError

FEWEST = 4
"""Channels that layer normalisation needs: of one, nothing is left."""


class GlobalContext(nn.Module):
    """Adds to every position one vector, pooled over the picture by weights that are the same for all positions.

    Args:
        channels: Channels of the input and of the output.
        reduction: Factor by which the transform reduces the channels; the paper's ratio of 16.

    Raises:
        UsageError: A reduction below 1.

    Source:
        Section 3.3, figure 4d: a 1x1 convolution and a softmax over positions weigh the sum; a 1x1 convolution, layer
        normalisation, ReLU and a 1x1 convolution transform it; the result is added.

    Example:
        >>> import torch
        >>> GlobalContext(16)(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 16, 5, 7])
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        if reduction < 1:
            raise UsageError(f"the reduction of the global context block is {reduction}; at least 1 was expected")
        hidden = max(channels // reduction, min(channels, FEWEST))
        self.weigh = nn.Conv2d(channels, 1, 1)
        self.attention = Tap("spatial", "gc", use="share")
        self.transform = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.LayerNorm([hidden, 1, 1]), nn.ReLU(), nn.Conv2d(hidden, channels, 1)
        )

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Attend in (N, C, H, W)."""
        size = features.shape[2:]
        weights = self.attention(self.weigh(features).flatten(2).softmax(2).unflatten(2, size))  # (N, 1, H, W)
        pooled = features.flatten(2) @ weights.flatten(2).transpose(1, 2)  # (N, C, 1)
        return features + self.transform(pooled.unsqueeze(3))
