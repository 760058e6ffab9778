"""The named identity that every attention map passes through, so that it can be seen without being in the way."""

from __future__ import annotations

from typing import Literal

from torch import nn

Kind = Literal["scale", "class", "channel", "channel-pairs", "spatial", "pairwise"]
Use = Literal["gate", "share", "bias"]


class Tap(nn.Identity):
    """Identity through which exactly one attention map passes; ``attseg.capture`` watches it.

    It holds no parameter, adds no key to the state dict and no node to an exported graph. It sits where the map is final and
    in absolute coordinates: after the softmax or sigmoid, before the product.

    A mechanism that can do without its map, because the map is large and the result can be had piece by piece, asks
    ``watched`` and builds the map only then. Both ways give the same result up to rounding.

    Args:
        kind: What the map weighs, which fixes its axes.
            ``"scale"``: image scales, (N, S, H, W), summing to 1 over S.
            ``"class"``: classes at each position, (N, K, H, W).
            ``"channel"``: channels, (N, C, 1, 1).
            ``"channel-pairs"``: source channels for each target channel, (N, C, C), summing to 1 over the first.
            ``"spatial"``: positions, (N, 1, H, W), or (N, C, H, W) for each channel.
            ``"pairwise"``: source positions for each target, (N, H*W, H, W).
        name: Short public name of the mechanism, such as ``fpa``, by which ``attseg.explain`` finds its maps; empty takes the
            name of the class that the tap belongs to.
        use: What becomes of the map, which fixes what it is without attention. ``"gate"``: features are multiplied with it.
            ``"share"``: it weighs a sum, and its weights for one sum are the shares of what is summed. ``"bias"``: it is added.
            None: shares for scales and pairs, gates for all else.
    """

    def __init__(self, kind: Kind, name: str = "", *, use: Use | None = None) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.name = name
        self.use: Use = use or ("share" if kind in ("scale", "pairwise", "channel-pairs") else "gate")

    @property
    def watched(self) -> bool:
        """Whether anybody looks: a forward hook, such as those of ``capture``, would see or change the map."""
        return bool(self._forward_hooks)

    def extra_repr(self) -> str:
        """Kind and name, for ``print(model)``."""
        return f"{self.kind!r}, {self.name!r}" if self.name else repr(self.kind)
