"""Output of every decoder."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Decoded(NamedTuple):
    """The result of a decoder.

    Args:
        fused: (N, C, H', W') what the head reads.
        sides: Maps from within the decoder by name, for auxiliary heads; most decoders have none.
    """

    fused: Tensor
    sides: dict[str, Tensor]
