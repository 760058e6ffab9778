"""Object-contextual attention (OCR): Yuan, Chen and Wang, ECCV 2020, arXiv 1909.11065, section 3.2."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.tap import Tap
from attseg.errors import UsageError
from attseg.layers import ConvNormAct


class ObjectAttention(nn.Module):
    """Every position gathers from one vector for each class, pooled where coarse scores see the class.

    Args:
        channels: Channels of the features and of the output.
        inner: Channels of queries, keys and values.

    Raises:
        UsageError: No inner channel.

    Source:
        Equations 8 to 10: the softmax over positions of a class's coarse scores pools its region's vector, and the softmax over
        regions of the inner products with the position's vector weighs them. Transforms are 1x1 convolutions with batch
        normalisation and ReLU.
    Reading:
        Queries and keys pass two such convolutions, values one, and the products are divided by the root of ``inner``, as in the
        authors' released code.

    Example:
        >>> import torch
        >>> ObjectAttention(16, inner=8)(torch.zeros(2, 16, 5, 7), torch.zeros(2, 3, 5, 7)).shape
        torch.Size([2, 16, 5, 7])
    """

    def __init__(self, channels: int, *, inner: int = 256) -> None:
        super().__init__()
        if inner < 1:
            raise UsageError(f"the inner channels of object attention are {inner}; at least 1 was expected")
        self.inner = inner
        self.regions = Tap("spatial", "ocr-regions", use="share")
        self.query = nn.Sequential(ConvNormAct(channels, inner), ConvNormAct(inner, inner))
        self.key = nn.Sequential(ConvNormAct(channels, inner), ConvNormAct(inner, inner))
        self.value = ConvNormAct(channels, inner)
        self.attention = Tap("class", "ocr", use="share")
        self.restore = ConvNormAct(inner, channels)

    def forward(self, features: Float[Tensor, "n c h w"], coarse: Float[Tensor, "n k h w"]) -> Float[Tensor, "n c h w"]:
        """Attend in (N, C, H, W) by coarse scores (N, K, H, W)."""
        size = features.shape[2:]
        regions = self.regions(coarse.flatten(2).softmax(2).unflatten(2, size))  # (N, K, H, W)
        vectors = (features.flatten(2) @ regions.flatten(2).transpose(1, 2)).unsqueeze(3)  # (N, C, K, 1)
        asked = self.query(features).flatten(2)  # (N, inner, H*W)
        answered, given = self.key(vectors).flatten(2), self.value(vectors).flatten(2)  # (N, inner, K)
        products = answered.transpose(1, 2) @ asked * self.inner**-0.5
        weights = self.attention(products.softmax(1).unflatten(2, size))  # (N, K, H, W)
        return self.restore((given @ weights.flatten(2)).unflatten(2, size))
