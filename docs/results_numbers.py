"""Means and intervals of what ``benchmarks/results`` holds; ``results_page`` and ``results_plots`` show them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"

T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""97.5 % quantile of Student's t by degrees of freedom."""


ENOUGH = 3
"""Seeds from which on a difference is called something: two lie close together by chance too often."""


class Mean(NamedTuple):
    """A mean over seeds.

    Args:
        value: The mean.
        half: Half of its 95 % interval; None for one seed.
        count: Seeds.
    """

    value: float
    half: float | None
    count: int

    def text(self, *, sign: bool = False, digits: int = 1) -> str:
        """For a cell of a table."""
        number = f"{self.value:{'+' if sign else ''}.{digits}f}"
        return number if self.half is None else f"{number} ± {self.half:.{digits}f}"

    @property
    def verdict(self) -> str:
        """Whether the interval leaves 0 out, and on which side; nothing where there are fewer than ``ENOUGH`` seeds."""
        if self.half is None or self.count < ENOUGH:
            return ""
        if abs(self.value) <= self.half:
            return "open"
        return "more" if self.value > 0 else "less"


def mean_of(values: Iterable[float]) -> Mean | None:
    """The mean with its t interval, mean ± t(0.975, n - 1) s / sqrt(n); None of nothing."""
    found = list(values)
    if not found:
        return None
    half = T[len(found) - 1] * stdev(found) / math.sqrt(len(found)) if len(found) > 1 else None
    return Mean(mean(found), half, len(found))


@dataclass(frozen=True)
class Network:
    """A network of the record, with what its runs gave."""

    name: str
    record: Mapping[str, Any]

    def values(self, key: str) -> dict[int, float]:
        """A figure of each run that has it, by its seed."""
        return {run["seed"]: run[key] for run in self.record["runs"] if key in run}

    def score(self, key: str = "miou") -> Mean | None:
        """Over all seeds."""
        return mean_of(self.values(key).values())

    def minus(self, other: Network, key: str = "miou") -> Mean | None:
        """By how much it is higher, over the seeds that both have, each with itself."""
        one, two = self.values(key), other.values(key)
        return mean_of(one[seed] - two[seed] for seed in sorted(one.keys() & two.keys()))

    @property
    def seeds(self) -> int:
        """How many runs there are."""
        return len(self.record["runs"])

    @property
    def multiply_adds(self) -> float:
        """In G, for a picture of the data set."""
        return self.record["multiply_adds"] / 1e9

    def step(self, batch: int = 8) -> float | None:
        """Seconds of a step of training in the fastest stretch of any seed's log, where the machine was least disturbed."""
        rates = self.values("fastest_pictures_a_second").values()
        return batch / max(rates) if rates else None


class Record:
    """``scenes.json``: networks by name, and the rows of the tables that they stand for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.about: Mapping[str, Any] = values["about"]
        self.tables: Mapping[str, list[dict[str, Any]]] = values["tables"]
        self.further: list[list[str]] = values["further"]
        self.networks = {name: Network(name, one) for name, one in values["networks"].items()}
        self.over_pictures: Mapping[str, Mapping[str, Any]] = values["over_pictures"]

    def pictures(self, one: str, other: str) -> str:
        """The interval over pictures of a difference, for a cell of a table."""
        found = self.over_pictures.get(f"{one} - {other}")
        return f"{found['low']:+.1f} to {found['high']:+.1f}" if found else ""

    @property
    def runs(self) -> list[Mapping[str, Any]]:
        """All runs that there are."""
        return [run for network in self.networks.values() for run in network.record["runs"]]


def read(name: str) -> Any:
    """A record of ``benchmarks/results``."""
    return json.loads((RESULTS / f"{name}.json").read_text())
