"""DF-DAM's two gates: how far one or both can lower the contrast between positions, and how far they do.

"In fact, the features of adjacent stages behave similarly at some positions [...] If only one of [the gates] is applied, the
range of adjustment is roughly halved" (Xiong et al., 2019, section 3.2). The contrast of a channel is here the standard
deviation over positions of what the fusion adds up. A gate from 0 to 1 on both maps can lower it to nothing; on one map, to
that of the other.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from attseg.attention.fusion import DualAttentionFusion
from attseg.data.sample import Array
from attseg.explain.claims.claim import ClaimTable, Number, Ratio
from attseg.explain.looked import Looked
from attseg.layers import resize

GATES = ("both gates", "the high-level gate", "the low-level gate")
ROWS = ("range that gates allow", "what they take away")


class ContrastClaim:
    """Range and use of the gates, as shares of the contrast of the plain sum, averaged over channels."""

    def __init__(self) -> None:
        self._found = {row: [Ratio() for _ in GATES] for row in ROWS}
        self._low = Ratio()
        self._pictures = 0

    def add(self, looked: Looked, labels: Array, random: np.random.Generator) -> None:
        """Count a picture."""
        fusion = next(m for m in looked.model.modules() if isinstance(m, DualAttentionFusion))
        low, high, gates = _inside(looked, fusion)
        allowed, taken, share = contrasts(low, high, *gates)
        self._pictures += 1
        self._low.add(float(share.sum()), len(share))
        for row, values in zip(ROWS, (allowed, taken), strict=True):
            for ratio, value in zip(self._found[row], values, strict=True):
                if value is not None:
                    ratio.add(float(value.sum()), len(value))

    def tables(self) -> list[ClaimTable]:
        """One table."""
        rows: list[tuple[str, list[Number]]] = [(row, [one.number() for one in self._found[row]]) for row in ROWS]
        share = self._low.number().value or 0.0
        return [
            ClaimTable(
                "contrast between positions",
                "The features of adjacent stages behave similarly, and with one gate alone the range of adjustment is halved.",
                "Xiong et al., DF-DAM, 2019, section 3.2",
                "share of the contrast of the plain sum",
                GATES,
                rows,
                [f"{self._pictures} pictures", f"the low-level map has {share:.1%} of the two maps' contrasts"],
            )
        ]


def contrasts(
    low: Tensor, high: Tensor, of_high: Tensor | None, of_low: Tensor | None
) -> tuple[tuple[Tensor | None, ...], tuple[Tensor | None, ...], Tensor]:
    """Of each channel (C,): what gates can take of its contrast, what they do take, and the low-level map's part.

    Args:
        low: (C, H, W) the low-level map before its gate.
        high: (C, H, W) the high-level map before its gate.
        of_high: (C,) its gate; None where there is none.
        of_low: (C,) likewise.

    Returns:
        For both gates, the high-level one and the low-level one: the ranges, and what they take; None without the gate. Channels
        without contrast are left out.
    """
    plain = _contrast(low + high)
    alive = plain > 1e-6 * float(plain.max())
    low, high, plain = low[alive], high[alive], plain[alive]
    gates = [None if gate is None else gate[alive, None, None] for gate in (of_high, of_low)]
    first, second = gates
    both = first is not None and second is not None
    of = _contrast(low), _contrast(high)
    allowed = (
        torch.ones_like(plain) if both else None,
        None if first is None else 1 - of[0] / plain,
        None if second is None else 1 - of[1] / plain,
    )
    taken = (
        1 - _contrast(low * second + high * first) / plain if first is not None and second is not None else None,
        None if first is None else 1 - _contrast(low + high * first) / plain,
        None if second is None else 1 - _contrast(low * second + high) / plain,
    )
    return allowed, taken, of[0] / (of[0] + of[1])


def _contrast(maps: Tensor) -> Tensor:
    return maps.flatten(1).double().std(1, correction=0)


@torch.no_grad()
def _inside(looked: Looked, fusion: DualAttentionFusion) -> tuple[Tensor, Tensor, tuple[Tensor | None, Tensor | None]]:
    """The two maps at one size, before their gates, and the gates."""
    given: list[tuple[Tensor, Tensor]] = []
    handle = fusion.register_forward_hook(lambda module, inputs, out: given.append(inputs))
    try:
        looked.model(looked.images)
    finally:
        handle.remove()
    low, high = given[0]
    pooled = high.mean((2, 3), keepdim=True)
    gates = [None if gate is None else gate(pooled).flatten() for gate in (fusion.high_gate, fusion.low_gate)]
    return fusion.reduce(low)[0], resize(high, low.shape[-2:])[0], (gates[0], gates[1])
