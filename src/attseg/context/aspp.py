"""Atrous spatial pyramid pooling (ASPP): Chen et al., Rethinking Atrous Convolution, arXiv 1706.05587, 2017, section 3.3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, cat, nn

from attseg.errors import UsageError, unknown
from attseg.layers import ConvNormAct

RATES = (6, 12, 18)
"""The paper's rates at output stride 16."""
Merge = Literal["concat", "sum"]


class ASPP(nn.Module):
    """Looks at every position with convolutions of several reaches at once, and at the whole picture.

    Args:
        in_channels: Channels of the input.
        channels: Channels of every branch and of the output; the paper has 256.
        rates: Dilation of each 3x3 convolution; ``rates_at`` gives the paper's for a stride.
        point: Whether there is a 1x1 branch; off in DeepLab v2, on in v3.
        image_pooling: Whether the branch of the whole picture is there; off in DeepLab v2, on in v3.
        merge: How branches are merged: ``concat`` and a 1x1 convolution (v3), or their ``sum`` (v2).

    Raises:
        UsageError: No rate, one below 1, or an unknown way to merge.

    Source:
        DeepLab v3, section 3.3, figure 5. DeepLab v2 (Chen et al., arXiv 1606.00915), section 3.2, figure 7: ``rates=(6, 12, 18,
        24), point=False, image_pooling=False, merge="sum"``.
    Reading:
        The paper normalises all branches. Behind the pooled one there is no normalisation but a bias: one value a channel and
        picture has little to be normalised by.
        PSANet's row "ResNet50 + ASPP" cites DeepLab v2 and gives no details. We take it as four 3x3 convolutions of rates 6, 12,
        18 and 24 at stride 8, with batch normalisation and ReLU, summed; PSANet's last layer then gives the classes. In v2 each
        branch has its own classifier and the scores are summed. ``ASPP``'s defaults without image pooling are another reading,
        row ``psanet:readings/aspp-v3``.

    Example:
        >>> import torch
        >>> ASPP(16, 8, rates=rates_at(8))(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 8, 5, 7])
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        rates: Sequence[int] = RATES,
        point: bool = True,
        image_pooling: bool = True,
        merge: Merge = "concat",
    ) -> None:
        super().__init__()
        if not rates or any(rate < 1 for rate in rates):
            raise UsageError(f"the rates of ASPP are {tuple(rates)}; rates from 1 on were expected, such as {RATES}")
        if merge not in get_args(Merge):
            raise unknown("merge of ASPP", merge, get_args(Merge))
        self.point = ConvNormAct(in_channels, channels) if point else None
        self.atrous = nn.ModuleList(ConvNormAct(in_channels, channels, 3, dilation=rate) for rate in rates)
        self.whole = nn.Sequential(nn.Conv2d(in_channels, channels, 1), nn.ReLU()) if image_pooling else None
        branches = point + len(rates) + image_pooling
        self.merge = ConvNormAct(branches * channels, channels) if merge == "concat" else None

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Bring (N, in_channels, H, W) to (N, channels, H, W)."""
        here = [] if self.point is None else [self.point(features)]
        seen = [*here, *(branch(features) for branch in self.atrous)]  # each (N, channels, H, W)
        if self.whole is not None:
            pooled = self.whole(features.mean((2, 3), keepdim=True))  # (N, channels, 1, 1)
            seen.append(pooled.expand_as(seen[0]))
        return sum(seen[1:], seen[0]) if self.merge is None else self.merge(cat(seen, 1))


class AtrousClassifier(nn.Module):
    """The last layer of DeepLab v2 on ResNet-101: scores of four dilated 3x3 convolutions, summed.

    Args:
        in_channels: Channels of the input.
        num_classes: Classes K.
        rates: Dilation of each convolution; the paper's ASPP-L.

    Source:
        Chen et al., DeepLab v2, arXiv 1606.00915, section 3.2 and 4.1.2; the convolutions have biases and no normalisation.

    Example:
        >>> import torch
        >>> AtrousClassifier(16, 21)(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 21, 5, 7])
    """

    def __init__(self, in_channels: int, num_classes: int, *, rates: Sequence[int] = (6, 12, 18, 24)) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Conv2d(in_channels, num_classes, 3, padding=rate, dilation=rate) for rate in rates
        )

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n k h w"]:
        """Scores (N, K, H, W) of (N, in_channels, H, W)."""
        first, *others = (branch(features) for branch in self.branches)
        return sum(others, first)


def rates_at(output_stride: int) -> tuple[int, ...]:
    """The paper's rates for maps of a stride, so that they reach as far in the picture at every stride.

    Args:
        output_stride: Pixels of the picture to one step on the map.

    Source:
        Section 3.3: (6, 12, 18) at output stride 16, twice as much at 8.
    Reading:
        The paper stops at 16; at 32 we halve its rates.

    Example:
        >>> rates_at(8), rates_at(16), rates_at(32)
        ((12, 24, 36), (6, 12, 18), (3, 6, 9))
    """
    return tuple(max(rate * 16 // output_stride, 1) for rate in RATES)
