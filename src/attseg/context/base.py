"""Output of a context that has auxiliary maps; most give the map alone."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class WithSides(NamedTuple):
    """The result of a context, and maps from within it.

    Args:
        features: (N, C, H, W) what the decoder reads.
        sides: Maps by name, for auxiliary heads. Those that the context's attribute ``logit_sides`` names are logits (N, K, H, W)
            themselves and need no head.
    """

    features: Tensor
    sides: dict[str, Tensor]
