"""DF-DAM's two gates: which is wider open, and whether they say more of the channel or of the picture.

Xiong et al., 2019, section 4.3, on figure 7: the weights of the high-level map are generally higher than those of the low-level
map; they differ between pictures, while those of the low-level map are distributed roughly alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attseg.data.sample import Array
from attseg.explain.capture import AttentionMap
from attseg.explain.claims.claim import ClaimTable, Number, Ratio
from attseg.explain.looked import Looked
from attseg.explain.pixel import to_numpy

Doubles = npt.NDArray[np.float64]

GATES = {"high-level": "dafm-high", "low-level": "dafm-low"}


class GateClaim:
    """Mean of each gate, and its spread over channels and over pictures."""

    def __init__(self) -> None:
        self._weights: dict[str, list[Doubles]] = {name: [] for name in GATES}
        self._wider = Ratio()

    def add(self, looked: Looked, labels: Array, random: np.random.Generator) -> None:
        """Count a picture."""
        gates = {name: _gate(looked, mechanism) for name, mechanism in GATES.items()}
        for name, weights in gates.items():
            if weights is not None:
                self._weights[name].append(weights)
        high, low = gates["high-level"], gates["low-level"]
        if high is not None and low is not None:
            self._wider.add(float((high > low).sum()), len(high))

    def tables(self) -> list[ClaimTable]:
        """One table, a row a gate."""
        rows = [(name, gate_numbers(np.stack(found))) for name, found in self._weights.items() if found]
        wider = self._wider.number()
        remarks = [f"{max(map(len, self._weights.values()))} pictures"]
        if wider.value is not None:
            remarks.append(f"the high-level gate is the wider one in {wider.value:.1%} of the channels")
        return [
            ClaimTable(
                "channel gates",
                "Weights of the high-level map are generally higher; those of the low-level map are alike in all pictures.",
                "Xiong et al., DF-DAM, 2019, section 4.3, figure 7",
                "gate",
                ("mean weight", "spread over channels", "spread over pictures"),
                rows,
                remarks,
            )
        ]


def gate_numbers(weights: Doubles) -> list[Number]:
    """Mean; standard deviation over channels of their means over pictures; mean over channels of that over pictures.

    Args:
        weights: (N, C) of each picture and channel.
    """
    mean = Ratio()
    for one in weights:
        mean.add(one.sum(), len(one))
    channels = Number(float(weights.mean(0).std()), None)
    pictures = Number(float(weights.std(0).mean()) if len(weights) > 1 else None, None)
    return [mean.number(), channels, pictures]


def _gate(looked: Looked, mechanism: str) -> Doubles | None:
    for one in looked.found:
        if isinstance(one, AttentionMap) and one.mechanism == mechanism:
            return to_numpy(one.weights.flatten()).astype(np.float64)
    return None
