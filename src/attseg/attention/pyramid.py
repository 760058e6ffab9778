"""Feature Pyramid Attention (FPA): Li et al., Pyramid Attention Network, BMVC 2018, section 3.1, figure 3b."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.tap import Tap
from attseg.errors import UsageError, unknown
from attseg.layers import ConvNormAct, resize

Pool = Literal["avg", "max"]
GlobalMerge = Literal["add", "concat"]
Rounding = Literal["up", "down"]


class FeaturePyramidAttention(nn.Module):
    """Weighs every position by what a small U-shaped pyramid sees around it (FPA).

    The main branch is a 1x1 convolution. The pyramid halves the map once a kernel, looks at each size with a convolution on
    the way down and another on the way back, and adds them up from coarse to fine; the result multiplies the main branch.
    A pooled branch adds what the whole picture holds.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        kernels: Kernel of each pyramid level, finest first; (7, 5, 3) is the paper's C357, (3, 3, 3) its C333.
        pool: How a level is halved; the paper's AVE and MAX.
        pyramid_channels: Channels within the pyramid. 1 weighs positions alone; ``channels`` weighs every channel at every
            position; anything between is brought to ``channels`` by a 1x1 convolution.
        global_branch: Whether the pooled branch is there; the paper's GP.
        global_merge: Whether the pooled branch is added to the rest, or laid beside it (``concat``) and both brought back to
            ``channels`` by a 1x1 convolution with batch normalisation and ReLU.
        global_relu: Whether a ReLU follows its convolution, as in segmentation_models_pytorch.
        rounding: Whether halving an odd side rounds up, or down, as there: the last row or column is then not seen.
        align_corners: How maps are brought back; True there.

    Raises:
        UsageError: No kernel, an even one, no channel, or an unknown name.

    Source:
        Section 3.1, figure 3b, table 1.
    Reading:
        The text says that the global branch is concatenated; figure 3b and the public implementations add it, and so do we.
        Concatenated: row ``pan:readings/global-concat``.
        The width of the pyramid is not given. The paper says that it "doesn't introduce too much computation", which at 2048
        input channels only a narrow one keeps: at a 32x32 map, one channel costs 0.03 G multiply-adds, 512 cost 17 G. Wider:
        rows ``pan:readings/width-quarter`` and ``pan:readings/width-full``.
        The text names the kernels in the order 3, 5, 7; figure 3b puts the largest on the finest map. The text's order: row
        ``pan:readings/kernels-357``.
        No normalisation stands behind the global average: one value a channel and picture has little to be normalised by.
        Figure 3b shows 16, 8 and 4. For other sizes halving rounds up (the border is repeated where it must), a side of 2 is
        not halved any further, and maps are brought back to the sizes that they had; so any size works.

    Example:
        >>> import torch
        >>> FeaturePyramidAttention(512, 64)(torch.zeros(2, 512, 6, 9)).shape
        torch.Size([2, 64, 6, 9])
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        kernels: Sequence[int] = (7, 5, 3),
        pool: Pool = "avg",
        pyramid_channels: int = 1,
        global_branch: bool = True,
        global_merge: GlobalMerge = "add",
        global_relu: bool = False,
        rounding: Rounding = "up",
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        if not kernels or any(kernel < 1 or kernel % 2 == 0 for kernel in kernels):
            raise UsageError(f"the pyramid's kernels are {tuple(kernels)}; odd sizes were expected, such as (7, 5, 3)")
        if pyramid_channels < 1:
            raise UsageError(f"pyramid_channels is {pyramid_channels}; at least 1 was expected")
        if pool not in ("avg", "max"):
            raise UsageError(f"the pyramid's pooling is {pool!r}; 'avg' or 'max' was expected")
        if global_merge not in get_args(GlobalMerge):
            raise unknown("merge of the pooled branch", global_merge, get_args(GlobalMerge))
        if rounding not in ("up", "down"):
            raise UsageError(f"the pyramid's rounding is {rounding!r}; 'up' or 'down' was expected")
        self.pool: Pool = pool
        self.rounding: Rounding = rounding
        self.align_corners = align_corners
        self.global_relu = global_relu
        self.main = ConvNormAct(in_channels, channels)
        widths = [in_channels] + [pyramid_channels] * (len(kernels) - 1)
        self.down = nn.ModuleList(
            ConvNormAct(width, pyramid_channels, kernel) for width, kernel in zip(widths, kernels, strict=True)
        )
        self.lateral = nn.ModuleList(ConvNormAct(pyramid_channels, pyramid_channels, kernel) for kernel in kernels)
        widen = pyramid_channels not in (1, channels)
        self.widen = nn.Conv2d(pyramid_channels, channels, 1) if widen else nn.Identity()
        self.pyramid = Tap("spatial", "fpa")
        self.whole = nn.Conv2d(in_channels, channels, 1) if global_branch else None
        self.merge = ConvNormAct(2 * channels, channels) if global_branch and global_merge == "concat" else None

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Attend to ``features`` (N, in_channels, H, W); gives (N, channels, H, W)."""
        levels = [features]
        for down in self.down:
            levels.append(down(self._halve(levels[-1])))
        weights = self.lateral[-1](levels[-1])
        for lateral, level in zip(reversed(self.lateral[:-1]), reversed(levels[1:-1]), strict=True):
            weights = lateral(level) + self._resized(weights, level)
        weights = self.pyramid(self.widen(self._resized(weights, features)))  # (N, 1 or channels, H, W)
        attended = self.main(features) * weights
        if self.whole is None:
            return attended
        whole = self.whole(features.mean((2, 3), keepdim=True))
        whole = whole.relu() if self.global_relu else whole
        return (
            attended + whole if self.merge is None else self.merge(torch.cat((attended, whole.expand_as(attended)), 1))
        )

    def _resized(self, maps: Tensor, like: Tensor) -> Tensor:
        return resize(maps, like.shape[-2:], align_corners=self.align_corners)

    def _halve(self, maps: Tensor) -> Tensor:
        """Pool by 2. Rounding up, a side of 1 or 2 becomes, or stays, 2; rounding down, one of 1 stays 1."""
        pool = F.avg_pool2d if self.pool == "avg" else F.max_pool2d
        for axis in (2, 3):
            length = maps.shape[axis]
            if self.rounding == "up" or length < 2:
                maps = maps.index_select(
                    axis, _continued(length, maps.device, halves_to=2 if self.rounding == "up" else 1)
                )
        return pool(maps, 2)


def _continued(length: int, device: torch.device, *, halves_to: int) -> Tensor:
    """Indices along a side, the first and the last repeated so that halving rounds up and gives at least ``halves_to``.

    The length may be symbolic, which is why there is no ``if``: that no level can have a side of 1 is what makes export with
    dynamic sizes possible. Indices and not padding, because compiled and eager code lay out the gradient of padding differently.
    """
    before = torch.sym_max(0, torch.sym_min(1, 2 * halves_to - 1 - length))
    padded = torch.sym_max(length + 1, 2 * halves_to)
    return (torch.arange(padded, device=device) - before).clamp(0, length - 1)
