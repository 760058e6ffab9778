"""Costs of a model: parameters, multiply-adds, memory, speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.profiling.count import Cost, Profile, profile
    from attseg.profiling.memory import measure_memory
    from attseg.profiling.speed import Latency, measure_latency

__all__ = [
    "Cost",
    "Latency",
    "Profile",
    "measure_latency",
    "measure_memory",
    "profile",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.profiling.count": "Cost Profile profile",
        "attseg.profiling.memory": "measure_memory",
        "attseg.profiling.speed": "Latency measure_latency",
    },
)
