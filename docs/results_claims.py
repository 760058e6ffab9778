"""The claims of ``claims.json``: for each what was measured, what it is held against, and how often it is as the paper says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Findings = list[dict[str, Any]]

LEAST = 0.02
"""What has to lie between two numbers, as a share of the second, for one to be called larger."""

LARGEST, SMALLEST = "9216 and more", "below 256 pixels"


class Pair(NamedTuple):
    """What was measured and what it is held against, each with one standard error over pictures."""

    value: float
    error: float
    other: float
    other_error: float

    @property
    def z(self) -> float:
        """The difference over its error; the two are taken as independent, which is on the safe side where they rise together."""
        error = math.hypot(self.error, self.other_error)
        return (self.value - self.other) / error if error > 0 else math.copysign(math.inf, self.value - self.other)

    @property
    def log_ratio(self) -> float | None:
        """Doublings from the one to the other; None where one is nothing."""
        return math.log2(self.value / self.other) if self.value > 0 and self.other > 0 else None


@dataclass(frozen=True)
class Statement:
    """A sentence of a paper as an inequality between two numbers.

    Args:
        text: What is said.
        network: Whose attention.
        measured: What has to be larger, or smaller where ``more`` is False.
        beside: What it is compared with.
        finding: Which table of ``attseg explain --claims``; the first whose name ends so.
        first: Row and column of what is measured.
        second: Row and column of what it is compared with.
        more: Whether it is to be larger.
        percent: Whether the two are shares.
    """

    text: str
    network: str
    measured: str
    beside: str
    finding: str
    first: tuple[str, str]
    second: tuple[str, str]
    more: bool = True
    percent: bool = True

    def of(self, findings: Findings) -> Pair | None:
        """The two numbers of a network; None where they were not measured."""
        table = next((one for one in findings if one["name"].endswith(self.finding)), None)
        if table is None:
            return None
        found = [_number(table, *place) for place in (self.first, self.second)]
        if None in found:
            return None
        return Pair(*(part for pair in found if pair is not None for part in pair))

    def verdict(self, pair: Pair) -> str:
        """``as said``, ``opposite``, or ``open``: within two standard errors over pictures, or next to nothing."""
        z = pair.z if self.more else -pair.z
        if abs(z) <= 2 or abs(pair.value - pair.other) < LEAST * pair.other:
            return "open"
        return "as said" if z > 0 else "opposite"


def _number(table: Mapping[str, Any], row: str, column: str) -> tuple[float, float] | None:
    found = next((one for one in table["rows"] if row in one.values()), None)
    if found is None or found[column]["value"] is None:
        return None
    return found[column]["value"], found[column]["error"] or 0.0


_BY_SIZE = "mean value over that of the picture"
_EVEN = "if all weights were equal"
_SELF, _OWN = "mass on the point itself", "mass on the point's own class"


def _pairs(network: str, direction: str) -> tuple[Statement, ...]:
    where = f"({direction})"
    return (
        Statement(
            f"PSA's masks pay low attention at the point itself, {direction}",
            network,
            "weight on the point's own cell",
            "equal weights",
            where,
            (_SELF, "measured"),
            (_SELF, _EVEN),
            more=False,
        ),
        Statement(
            f"PSA's masks follow the point's class, {direction}",
            network,
            "weight on pixels of the point's class",
            "equal weights",
            where,
            (_OWN, "measured"),
            (_OWN, _EVEN),
        ),
    )


def _scales(network: str) -> tuple[Statement, ...]:
    return (
        Statement(
            "The small image scale has more weight on large objects than on small ones",
            network,
            "its weight on objects from 9216 pixels",
            "its weight below 256 pixels",
            "weight of image scales",
            (LARGEST, "mean weight at 50 %"),
            (SMALLEST, "mean weight at 50 %"),
        ),
        Statement(
            "The small image scale wins on large objects",
            network,
            "objects from 9216 pixels that it wins",
            "that the large scale wins",
            "scale that wins",
            (LARGEST, "objects won by 50 %"),
            (LARGEST, "objects won by 100 %"),
        ),
    )


STATEMENTS = (
    Statement(
        "FPA fires on large objects",
        "pan-small-c357-ave-gp",
        "value on objects from 9216 pixels, over the picture's mean",
        "below 256 pixels",
        "pyramid value",
        (LARGEST, _BY_SIZE),
        (SMALLEST, _BY_SIZE),
        percent=False,
    ),
    *_scales("a2r-small-ours"),
    *_scales("a2r-small-attention-to-scale"),
    Statement(
        "2DPAM's confidence lies at the boundaries of objects",
        "dfdam-small-dafm-2dpam",
        "confidence within 2 pixels of a border",
        "area there",
        "confidence at borders",
        ("within 2 pixels", "share of the confidence"),
        ("within 2 pixels", "share of the area"),
    ),
    Statement(
        "DAFM's gate of the high-level map is above that of the low-level map",
        "dfdam-small-dafm-2dpam",
        "mean weight, high",
        "mean weight, low",
        "channel gates",
        ("high-level", "mean weight"),
        ("low-level", "mean weight"),
        percent=False,
    ),
    *_pairs("psanet-small-collect", "collect"),
    *_pairs("psanet-small-distribute", "distribute"),
    *_pairs("psanet-small-both", "collect"),
    *_pairs("psanet-small-both", "distribute"),
)


def pairs_of(record: Mapping[str, Any], statement: Statement, kind: str) -> dict[int, Pair]:
    """By seed, of networks that are ``trained`` or ``untrained``."""
    runs = record["networks"].get(statement.network, {}).get(kind, {})
    found = {int(seed): statement.of(run["claims"]) for seed, run in runs.items()}
    return {seed: pair for seed, pair in sorted(found.items()) if pair is not None}
