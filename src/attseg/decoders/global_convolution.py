"""GCN's decoder, large separable kernels: Peng et al., Large Kernel Matters, CVPR 2017, arXiv 1703.02719, section 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from attseg.decoders.base import Decoded
from attseg.errors import UsageError
from attseg.layers import resize


class GlobalConvolution(nn.Module):
    """Connects every position with a whole window around it, through two pairs of long, narrow convolutions (GCN).

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        kernel: Height and width of the window, odd.

    Raises:
        UsageError: An even kernel.

    Source:
        Section 3, figure 2B: k x 1 then 1 x k, and 1 x k then k x 1, added, with no non-linearity in between.

    Example:
        >>> import torch
        >>> GlobalConvolution(24, 16, 7)(torch.zeros(2, 24, 5, 9)).shape
        torch.Size([2, 16, 5, 9])
    """

    def __init__(self, in_channels: int, channels: int, kernel: int) -> None:
        super().__init__()
        if kernel < 1 or kernel % 2 == 0:
            raise UsageError(f"the kernel of the global convolution is {kernel}; an odd size was expected, such as 15")
        tall: dict[str, Any] = {"kernel_size": (kernel, 1), "padding": (kernel // 2, 0)}
        wide: dict[str, Any] = {"kernel_size": (1, kernel), "padding": (0, kernel // 2)}
        self.tall_wide = nn.Sequential(nn.Conv2d(in_channels, channels, **tall), nn.Conv2d(channels, channels, **wide))
        self.wide_tall = nn.Sequential(nn.Conv2d(in_channels, channels, **wide), nn.Conv2d(channels, channels, **tall))

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Look around in (N, in_channels, H, W); gives (N, channels, H, W)."""
        return self.tall_wide(features) + self.wide_tall(features)


class BoundaryRefinement(nn.Module):
    """Adds to a map what two 3x3 convolutions have to say about its boundaries (BR).

    Args:
        channels: Channels of the input and of the output.

    Source:
        Section 3, figure 2C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)
        )

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Refine (N, C, H, W)."""
        return maps + self.residual(maps)


class GlobalConvolutionDecoder(nn.Module):
    """Looks at every map of the encoder through large kernels, and adds what it sees from coarse to fine.

    Args:
        low_channels: Channels of the encoder's maps above the deepest, finest first.
        channels: Channels of the deepest map and of the output.
        kernel: Height and width of the window that each position sees, odd.

    Raises:
        UsageError: An even kernel.

    Source:
        Section 3, figure 2A. A window of 15 covers nearly all of a map of 16 x 16, the deepest for pictures of 512 x 512.
    Reading:
        The paper's maps are scores, one channel a class, enlarged by learned deconvolutions. Here they have ``channels``,
        which the head takes to the classes, and are resized bilinearly, so that any size works. The large kernels are cheap
        at as many channels as there are classes, and dear at many.
        The paper's large kernels read the deepest map of the encoder; here they read what the context makes of it.
    """

    def __init__(self, low_channels: Sequence[int], channels: int, *, kernel: int = 15) -> None:
        super().__init__()
        self.look = nn.ModuleList(
            nn.Sequential(GlobalConvolution(width, channels, kernel), BoundaryRefinement(channels))
            for width in (*low_channels, channels)
        )
        self.refine = nn.ModuleList(BoundaryRefinement(channels) for _ in low_channels)

    def forward(self, lows: Sequence[Tensor], high: Tensor) -> Decoded:
        """Bring ``high`` (N, C, H', W') to the size of ``lows[0]``; ``lows`` are finest first."""
        *looks, deepest = self.look
        high = deepest(high)
        for look, refine, low in zip(reversed(looks), reversed(self.refine), reversed(lows), strict=True):
            high = refine(look(low) + resize(high, low.shape[-2:]))
        return Decoded(high, {})
