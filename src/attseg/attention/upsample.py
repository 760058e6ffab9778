"""Global Attention Upsample (GAU): Li et al., Pyramid Attention Network, BMVC 2018, section 3.2, figure 4."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.tap import Tap
from attseg.errors import UsageError
from attseg.layers import BatchNorm2d, ConvNormAct, resize

Gate = Literal["sigmoid", "relu"]


class GlobalAttentionUpsample(nn.Module):
    """Reweighs the channels of a finer map by the global context of a deeper one, and adds the two (GAU).

    Args:
        low_channels: Channels of the low-level (finer) map.
        channels: Channels of the high-level (deeper) map and of the output.
        context: Whether the global context guides the low-level map; without it this is a plain skip connection.
        kernel: Kernel of the convolution on the low-level map, 1 or 3.
        gate: Non-linearity that turns the pooled context into channel weights.
        skip_relu: Whether a ReLU follows the convolution on the low-level map, as in segmentation_models_pytorch.
        align_corners: How the high-level map is upsampled; True there.

    Raises:
        UsageError: An even kernel, an unknown gate.

    Source:
        Section 3.2, figure 4, table 3.
    Reading:
        The gate's non-linearity has no name in the paper. A sigmoid bounds the weights; ``relu`` is what others read, row
        ``pan:readings/gate-relu``.
        The paper puts batch normalisation behind the gate's 1x1 convolution. At batch size 1 there is nothing to normalise
        by, and the running statistics take its place.
        Figure 4 adds before it upsamples; as the maps differ in size, the high-level map is upsampled first.

    Example:
        >>> import torch
        >>> gau = GlobalAttentionUpsample(24, 16)
        >>> gau(torch.zeros(2, 24, 15, 21), torch.zeros(2, 16, 8, 11)).shape
        torch.Size([2, 16, 15, 21])
    """

    def __init__(
        self,
        low_channels: int,
        channels: int,
        *,
        context: bool = True,
        kernel: int = 3,
        gate: Gate = "sigmoid",
        skip_relu: bool = False,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        if kernel < 1 or kernel % 2 == 0:
            raise UsageError(f"the kernel on the low-level map is {kernel}; 1 or 3 was expected")
        if gate not in ("sigmoid", "relu"):
            raise UsageError(f"the gate is {gate!r}; 'sigmoid' or 'relu' was expected")
        self.reduce = ConvNormAct(low_channels, channels, kernel, act=skip_relu)
        self.align_corners = align_corners
        self.context = context
        if context:
            self.weigh = nn.Sequential(
                nn.Conv2d(channels, channels, 1, bias=False),
                BatchNorm2d(channels),
                nn.Sigmoid() if gate == "sigmoid" else nn.ReLU(),
            )
            self.attention = Tap("channel", "gau")

    def forward(self, low: Float[Tensor, "n c_low h w"], high: Float[Tensor, "n c h2 w2"]) -> Float[Tensor, "n c h w"]:
        """Bring ``high`` (N, channels, H', W') to the size of ``low`` (N, low_channels, H, W), guided by it."""
        skip = self.reduce(low)
        if self.context:
            skip = skip * self.attention(self.weigh(high.mean((2, 3), keepdim=True)))  # weights: (N, channels, 1, 1)
        # always new, also where sizes are equal
        larger = resize(high, low.shape[-2:], align_corners=self.align_corners)
        return larger.add_(skip)  # in place: these maps are large
