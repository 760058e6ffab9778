"""The recalibrating branch: Yang and Peng, Attention to Refine through Multi-Scales, 2018, section 2.2, equation 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, nn

from attseg.attention.scale import two_convolutions
from attseg.attention.tap import Tap
from attseg.errors import unknown
from attseg.layers import resize

How = Literal["multiply", "bias", "signed-bias"]


class Recalibration(nn.Module):
    """Raises and lowers the score of each class at each position by what surrounds it, alike at all image scales.

    Args:
        in_channels: Channels of the features that are read.
        num_classes: Classes K.
        how: ``multiply`` takes the scores times weights between 0 and 1; ``signed-bias`` adds what the branch gives, of either
            sign; ``bias`` adds weights between 0 and 1.
        channels: Channels between the branch's two convolutions.

    Raises:
        UsageError: ``how`` is something else.

    Source:
        Section 2.2, equation 3, column "extra branch" of table 2; ``signed-bias`` is the other choice that the text tries:
        "to predict bias per position in each channel".
    Reading:
        Scores are what stands before the softmax over classes, negative ones included, which a weight below 1 raises.
        A bias that is predicted may lower a score as well, so there is no sigmoid: row ``a2r:readings/bias``. ``bias`` keeps the
        sigmoid of the multiplication, which can only raise scores; weights of attseg 0.1.0 may have it.

    Example:
        >>> import torch
        >>> scores = [torch.ones(1, 21, 16, 16), torch.ones(1, 21, 16, 16)]
        >>> [tuple(each.shape) for each in Recalibration(64, 21).eval()(scores, torch.zeros(1, 64, 16, 16))]
        [(1, 21, 16, 16), (1, 21, 16, 16)]
    """

    def __init__(self, in_channels: int, num_classes: int, *, how: How = "multiply", channels: int = 512) -> None:
        super().__init__()
        if how not in get_args(How):
            raise unknown("recalibration", how, get_args(How))
        self.how: How = how
        self.weigh = two_convolutions(in_channels, num_classes, channels)
        self.attention = Tap("class", "recalibration", use="gate" if how == "multiply" else "bias")

    def forward(
        self, scores: Sequence[Float[Tensor, "n k h w"]], features: Float[Tensor, "n c h2 w2"]
    ) -> list[Float[Tensor, "n k h w"]]:
        """Recalibrate score maps (N, K, H, W), one a scale, by ``features`` (N, in_channels, H', W')."""
        wanted = resize(self.weigh(features), scores[0].shape[-2:])
        weights = self.attention(wanted if self.how == "signed-bias" else wanted.sigmoid())  # (N, K, H, W)
        if self.how != "multiply":
            return [score + weights for score in scores]
        return [score * weights for score in scores]
