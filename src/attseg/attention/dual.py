"""Attention of positions and of channels to each other: Fu et al., DANet, CVPR 2019, arXiv 1809.02983, sections 3.2 and 3.3."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.non_local import NonLocalWeights
from attseg.attention.pairwise import Pairwise
from attseg.attention.pointwise.dense import apply_weights
from attseg.attention.pointwise.terms import Direction
from attseg.attention.tap import Tap
from attseg.errors import UsageError, unknown

Likeness = Literal["likeness", "unlikeness"]


class PositionSelfAttention(Pairwise):
    """Every position gathers from all positions by likeness (PAM), scaled by a number that begins at 0, and adds it.

    Args:
        channels: Channels of the input and of the output.
        reduction: Factor by which queries and keys reduce the channels.

    Raises:
        UsageError: A reduction below 1.

    Source:
        Section 3.2, equations 1 and 2.
    Reading:
        Queries and keys have an eighth of the channels in the authors' released code.

    Example:
        >>> import torch
        >>> PositionSelfAttention(16)(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 16, 5, 7])
    """

    direction: Direction = "collect"

    def __init__(self, channels: int, *, reduction: int = 8) -> None:
        super().__init__()
        if reduction < 1:
            raise UsageError(f"the reduction of position attention is {reduction}; at least 1 was expected")
        inner = max(channels // reduction, 1)
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.attention = Tap("pairwise", "danet-position")
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Attend in (N, C, H, W). The map of (H*W)^2 weights a picture is built only while its tap is watched."""
        query, key, value = self.query(features), self.key(features), self.value(features)
        if self.attention.watched:
            gathered = apply_weights(value, self.attention(NonLocalWeights(query, key).all()))
        else:
            # Contiguous, because the kernels that work piece by piece take nothing else.
            targets, sources, gifts = (
                maps.flatten(2).transpose(1, 2).unsqueeze(1).contiguous() for maps in (query, key, value)
            )
            gathered = F.scaled_dot_product_attention(targets, sources, gifts, scale=1.0).squeeze(1).transpose(1, 2)
            gathered = gathered.unflatten(2, features.shape[2:])
        return features + self.scale * gathered

    def pair_weights(self, inputs: Tensor) -> NonLocalWeights:
        """The weights for features (N, C, H, W)."""
        return NonLocalWeights(self.query(inputs), self.key(inputs))


class ChannelSelfAttention(nn.Module):
    """Every channel gathers from all channels (CAM), scaled by a number that begins at 0, and adds it.

    Args:
        by: ``unlikeness`` subtracts the inner products from their largest before the softmax, ``likeness`` does not.

    Raises:
        UsageError: ``by`` is something else.

    Source:
        Section 3.3, equations 3 and 4: the softmax of inner products of channels weighs the sum.
    Reading:
        Equation 3 is ``likeness``. The authors' released code subtracts each product from the row's largest, so that the channels
        least alike have the largest weights; it gave the paper's figures and is the default.

    Example:
        >>> import torch
        >>> ChannelSelfAttention()(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 16, 5, 7])
    """

    def __init__(self, *, by: Likeness = "unlikeness") -> None:
        super().__init__()
        if by not in get_args(Likeness):
            raise unknown("setting of channel attention", by, get_args(Likeness))
        self.by: Likeness = by
        self.attention = Tap("channel-pairs", "danet-channel")
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Attend in (N, C, H, W)."""
        flat = features.flatten(2)  # (N, C, H*W)
        products = flat @ flat.transpose(1, 2)  # (N, targets C, sources C)
        if self.by == "unlikeness":
            products = products.amax(2, keepdim=True) - products
        weights = self.attention(products.softmax(2).transpose(1, 2))  # (N, sources C, targets C)
        gathered = (weights.transpose(1, 2) @ flat).unflatten(2, features.shape[2:])
        return features + self.scale * gathered
