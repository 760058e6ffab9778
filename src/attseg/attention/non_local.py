"""The non-local operation, embedded Gaussian: Wang et al., Non-local Neural Networks, CVPR 2018, equations 1, 3 and 6."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.pairwise import Pairwise, check_pairs
from attseg.attention.pointwise.maps import check_points
from attseg.attention.pointwise.terms import Direction
from attseg.attention.tap import Tap
from attseg.errors import UsageError
from attseg.layers import BatchNorm2d


class NonLocal(Pairwise):
    """Gathers, for every position, what lies at all positions, weighed by how alike the two are.

    Position t asks with theta(x_t), position s answers with phi(x_s), and g(x_s) is what s gives. The softmax of the inner
    products over all sources s weighs the sum, and a 1x1 convolution with batch normalisation brings it back to ``channels``.
    What is gathered is the result alone; whether it is added to the input or stands beside it is for the caller.

    Args:
        channels: Channels of the input and of the output.
        inner: Channels of theta, phi and g.

    Raises:
        UsageError: No inner channel.

    Source:
        Wang et al., equation 1 with the embedded Gaussian of equation 3, and W_z of equation 6 with the batch normalisation that
        section 4.1 puts behind it.
    Reading:
        The paper halves the channels inside. 512 is what PSA has, with which this is compared.
        The inner products are not divided by the root of ``inner`` as in later attention: equation 3 has no such factor.
        The paper's pooling of phi and g, which saves time in video, is left out: every position is a source.

    Example:
        >>> import torch
        >>> NonLocal(16, inner=8)(torch.zeros(2, 16, 5, 7)).shape
        torch.Size([2, 16, 5, 7])
    """

    direction: Direction = "collect"

    def __init__(self, channels: int, *, inner: int = 512) -> None:
        super().__init__()
        if inner < 1:
            raise UsageError(f"the non-local operation's inner channels are {inner}; at least 1 was expected")
        self.theta = nn.Conv2d(channels, inner, 1)
        self.phi = nn.Conv2d(channels, inner, 1)
        self.g = nn.Conv2d(channels, inner, 1)
        self.attention = Tap("pairwise", "nonlocal")
        self.restore = nn.Conv2d(inner, channels, 1, bias=False)
        self.norm = BatchNorm2d(channels)

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Gather from all positions of (N, C, H, W).

        The map of (H*W)^2 weights a picture is built only while its tap is watched.
        """
        size = features.shape[-2:]
        theta, phi, g = self.theta(features), self.phi(features), self.g(features)
        gathered = self._by_map(theta, phi, g) if self.attention.watched else self._piecewise(theta, phi, g)
        return self.norm(self.restore(gathered.unflatten(2, size)))

    def pair_weights(self, inputs: Tensor) -> NonLocalWeights:
        """The weights for features (N, C, H, W)."""
        return NonLocalWeights(self.theta(inputs), self.phi(inputs))

    def _by_map(self, theta: Tensor, phi: Tensor, g: Tensor) -> Tensor:
        """The sums (N, inner, H*W) through the whole map, as the equation reads."""
        weights = self.attention(NonLocalWeights(theta, phi).all())  # (N, H*W, H, W)
        return g.flatten(2) @ weights.flatten(2)

    @staticmethod
    def _piecewise(theta: Tensor, phi: Tensor, g: Tensor) -> Tensor:
        """The same sums without the map: memory grows with the positions and not with their square."""
        # Contiguous, because the kernels that work piece by piece take nothing else, and torch builds the map without a word.
        targets, sources, gifts = (
            maps.flatten(2).transpose(1, 2).unsqueeze(1).contiguous() for maps in (theta, phi, g)
        )
        return F.scaled_dot_product_attention(targets, sources, gifts, scale=1.0).squeeze(1).transpose(1, 2)


class NonLocalWeights:
    """The weights of all pairs by what targets ask and sources answer; those of a point are a softmax of one row of products.

    Args:
        theta: (N, inner, H, W) what targets ask.
        phi: (N, inner, H, W) what sources answer.
    """

    def __init__(self, theta: Tensor, phi: Tensor) -> None:
        self.theta, self.phi = theta, phi

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the map."""
        height, width = self.theta.shape[2:]
        return height, width

    def of(self, points: Sequence[tuple[int, int]]) -> Tensor:
        """Weights with which points (row, column) gather from every source, (N, P, H, W)."""
        check_points(points, *self.size)
        asked = self.theta[:, :, [y for y, _ in points], [x for _, x in points]]  # (N, inner, P)
        scores = asked.transpose(1, 2) @ self.phi.flatten(2)  # (N, P, sources)
        return scores.softmax(2).unflatten(2, self.size)

    def all(self) -> Tensor:
        """The weights of all pairs, (N, sources H*W, targets H, W).

        Raises:
            RuntimeError: They are too many.
        """
        check_pairs(len(self.theta), self.size)
        scores = self.phi.flatten(2).transpose(1, 2) @ self.theta.flatten(2)  # (N, sources, targets)
        return scores.softmax(1).unflatten(2, self.size)
