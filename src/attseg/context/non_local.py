"""Non-local context: Wang et al., CVPR 2018, in the place where table 1 of PSANet (Zhao et al., ECCV 2018) compares it."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor, cat, nn

from attseg.attention.non_local import NonLocal
from attseg.errors import UsageError
from attseg.layers import ConvNormAct

Fuse = Literal["add", "concat"]


class NonLocalContext(nn.Module):
    """Non-local context: every position gathers from all positions, merged with its own features.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        inner: Channels within the non-local operation.
        fuse: ``add`` is the paper's residual block; ``concat`` puts input and result beside each other, as PSA does.
        kernel: Kernel of the convolution that merges.

    Raises:
        UsageError: An unknown way to fuse.

    Source:
        Wang et al., equation 6; row "ResNet50+NonLocal" of the comparison in table 1 of Zhao et al.
    Reading:
        The row's details are not given: ``fuse="concat", kernel=3`` puts non-local where PSA is, and is what we compare with.
        With ``add`` the last normalisation begins at zero, as in section 4.1 of Wang et al.: the block begins as an identity.

    Example:
        >>> import torch
        >>> NonLocalContext(16, 8, inner=4, fuse="concat")(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 8, 5, 7])
    """

    def __init__(
        self, in_channels: int, channels: int, *, inner: int = 512, fuse: Fuse = "add", kernel: int = 1
    ) -> None:
        super().__init__()
        if fuse not in ("add", "concat"):
            raise UsageError(f"the non-local context is fused by {fuse!r}; 'add' or 'concat' was expected")
        self.fuse: Fuse = fuse
        self.gather = NonLocal(in_channels, inner=inner)
        if fuse == "add":
            nn.init.zeros_(self.gather.norm.weight)
        self.merge = ConvNormAct(in_channels if fuse == "add" else 2 * in_channels, channels, kernel)

    def forward(self, features: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h w"]:
        """Bring (N, in_channels, H, W) to (N, channels, H, W)."""
        gathered = self.gather(features)
        return self.merge(features + gathered if self.fuse == "add" else cat([features, gathered], 1))
