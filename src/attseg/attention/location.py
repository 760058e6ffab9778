"""Location attention over image scales: Yang and Peng, Attention to Refine through Multi-Scales, 2018, sections 2.1 and 2.2."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.recalibration import How, Recalibration
from attseg.attention.scale import two_convolutions, weighted_sum
from attseg.attention.tap import Tap
from attseg.errors import UsageError
from attseg.layers import ConvNormAct, resize


class LocationAttention(nn.Module):
    """Weighs the scales at each position by several stages of the network, after the score maps were recalibrated.

    At each scale, the stages are brought to the size of the finest and laid over each other; a convolution with a dilation of
    its own looks at them, and the results of all scales, side by side, are what both branches read: the location branch gives
    one weight a scale, the recalibrating branch one a class. Merges as those in ``scale`` do.

    Args:
        stage_channels: Channels of the network's stages, finest first.
        num_classes: Classes K.
        dilations: Dilation of the 3x3 convolution of each scale, the largest scale first.
        stages: Which stages are read, by their index; None is all of them.
        recalibration: What the recalibrating branch does to the scores; None leaves it out.
        stream_channels: Channels that the dilated convolution of each scale gives.
        channels: Channels between the two convolutions of each branch.

    Raises:
        UsageError: A stage that is not there, fewer than two dilations or one below 1.

    Source:
        Sections 2.1 and 2.2, figures 1 and 2, equations 1 to 4, table 2.
    Reading:
        Equations 1 and 3 sum over the scales, and equation 4 sums their result over the scales again; the scales are summed
        once here.
        "The size of features after two pooling operations" is that of the stage at stride 4, the finest, of each scale. What the
        dilated convolutions give is brought to this size of the largest scale.
        No width is given. The branches have the 512 channels of attention-to-scale, and 256 a scale make the 512 that they
        read when there are two. Behind each 3x3 convolution there is batch normalisation and a ReLU.
        Where the score maps are finer than stride 4, the weights are brought to them before the softmax or sigmoid.

    Example:
        >>> import torch
        >>> scores = [torch.zeros(1, 21, 16, 16), torch.ones(1, 21, 16, 16)]
        >>> large = [torch.zeros(1, 64, 16, 16), torch.zeros(1, 512, 8, 8)]
        >>> small = [torch.zeros(1, 64, 8, 8), torch.zeros(1, 512, 4, 4)]
        >>> LocationAttention([64, 512], 21, dilations=[2, 12]).eval()(scores, [large, small]).shape
        torch.Size([1, 21, 16, 16])
    """

    def __init__(
        self,
        stage_channels: Sequence[int],
        num_classes: int,
        *,
        dilations: Sequence[int],
        stages: Sequence[int] | None = None,
        recalibration: How | None = "multiply",
        stream_channels: int = 256,
        channels: int = 512,
    ) -> None:
        super().__init__()
        self.stages = tuple(range(len(stage_channels)) if stages is None else stages)
        if not self.stages or any(not 0 <= stage < len(stage_channels) for stage in self.stages):
            raise UsageError(
                f"the stages {list(self.stages)} were asked for; the network has {len(stage_channels)}, which are numbered "
                f"0 (the finest) to {len(stage_channels) - 1}"
            )
        if len(dilations) < 2 or min(dilations) < 1:
            raise UsageError(
                f"the dilations are {list(dilations)}; one for each of two scales or more was expected, 1 or larger"
            )
        seen = sum(stage_channels[stage] for stage in self.stages)
        self.see = nn.ModuleList(ConvNormAct(seen, stream_channels, 3, dilation=dilation) for dilation in dilations)
        features = stream_channels * len(dilations)
        self.weigh = two_convolutions(features, len(dilations), channels)
        self.attention = Tap("scale", "location")
        self.recalibrate = (
            None
            if recalibration is None
            else Recalibration(features, num_classes, how=recalibration, channels=channels)
        )

    def forward(
        self, scores: Sequence[Float[Tensor, "n k h w"]], stages: Sequence[Sequence[Tensor]]
    ) -> Float[Tensor, "n k h w"]:
        """Merge score maps (N, K, H, W) by each scale's ``stages``, finest first."""
        size = stages[0][0].shape[-2:]
        columns = [self._hypercolumn(maps) for maps in stages]
        features = torch.cat([resize(see(column), size) for see, column in zip(self.see, columns, strict=True)], 1)
        wanted = resize(self.weigh(features), scores[0].shape[-2:])
        weights = self.attention(wanted.softmax(1))  # (N, S, H, W), equation 2
        if self.recalibrate is not None:
            scores = self.recalibrate(scores, features)
        return weighted_sum(scores, weights)  # equations 3 and 4

    def _hypercolumn(self, maps: Sequence[Tensor]) -> Tensor:
        """The chosen stages of one scale over each other, at the size of its finest."""
        return torch.cat([resize(maps[stage], maps[0].shape[-2:]) for stage in self.stages], 1)
