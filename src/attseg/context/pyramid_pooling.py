"""Pyramid pooling (PSP): Zhao et al., Pyramid Scene Parsing Network, CVPR 2017, section 3.2, figure 3."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from attseg.errors import UsageError
from attseg.layers import ConvNormAct, resize


class PyramidPooling(nn.Module):
    """Every position beside the means of coarser and coarser parts of the picture.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        bins: Parts to a side, one pyramid level each.
        kernel: Kernel of the convolution that merges.
        width: Channels of each level, instead of its share of the input's.
        align_corners: How the levels are brought back to the size of the map; networks that were trained so want it.

    Raises:
        UsageError: No bin, one below 1, or more levels than channels.

    Source:
        Section 3.2, figure 3: bins 1, 2, 3, 6, average pooling, each level reduced to 1 / levels of the channels.
    Reading:
        Figure 3 merges by a convolution whose kernel is not given; the authors' code has 3x3.
        The level of one bin has no normalisation but a bias: one value a channel and picture has little to be normalised by.
        The authors' code resizes with aligned corners; ours does so where ``align_corners`` says it.
        On maps with fewer positions than bins, neighbouring bins share positions, as in torch's adaptive pooling.

    Example:
        >>> import torch
        >>> PyramidPooling(16, 8)(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 8, 5, 7])
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        bins: Sequence[int] = (1, 2, 3, 6),
        kernel: int = 3,
        width: int | None = None,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        if not bins or min(bins) < 1:
            raise UsageError(
                f"the bins of pyramid pooling are {tuple(bins)}; numbers from 1 on were expected, such as (1, 2, 3, 6)"
            )
        if width is None and in_channels < len(bins):
            raise UsageError(
                f"{len(bins)} levels of pyramid pooling share {in_channels} channels; at least one each was expected"
            )
        self.bins = tuple(bins)
        self.align_corners = align_corners
        width = width or in_channels // len(self.bins)
        self.levels = nn.ModuleList(_level(in_channels, width, count) for count in self.bins)
        self.merge = ConvNormAct(in_channels + width * len(self.bins), channels, kernel)

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Bring (N, in_channels, H, W) to (N, channels, H, W)."""
        size = features.shape[-2:]
        pooled = [level(pool_into(features, count)) for level, count in zip(self.levels, self.bins, strict=True)]
        back = [resize(means, size, align_corners=self.align_corners) for means in pooled]
        return self.merge(torch.cat([features, *back], 1))


def pool_into(features: Tensor, bins: int) -> Tensor:
    """Means of ``bins`` x ``bins`` parts of (N, C, H, W), those of torch's adaptive average pooling.

    Exported graphs hold two products in its place: it has no form there for maps of any size.
    """
    return pool_by_products(features, bins) if torch.compiler.is_exporting() else F.adaptive_avg_pool2d(features, bins)


def pool_by_products(features: Tensor, bins: int) -> Tensor:
    """The same means by a product with zeros and ones for each side.

    The counts are divided by behind each product, so that in low precision no weight is a rounded third.
    """
    across, wide = _parts(features.shape[3], bins, features)
    down, high = _parts(features.shape[2], bins, features)
    rows = features @ across.T / wide  # (N, C, H, bins)
    return down @ rows / high[:, None]  # (N, C, bins, bins)


def _parts(length: int, bins: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Which positions of a side belong to which part, (bins, length) of 0 and 1, and how many they are, (bins,).

    Part i reaches from floor(i length / bins) to ceil((i + 1) length / bins); the length may be symbolic.
    """
    part = torch.arange(bins, device=like.device)[:, None]
    at = torch.arange(length, device=like.device)[None]
    first = part * length // bins
    end = ((part + 1) * length + bins - 1) // bins
    return ((first <= at) & (at < end)).to(like.dtype), (end - first).flatten().to(like.dtype)


def _level(in_channels: int, width: int, bins: int) -> nn.Module:
    if bins == 1:
        return nn.Sequential(nn.Conv2d(in_channels, width, 1), nn.ReLU(inplace=True))
    return ConvNormAct(in_channels, width)
