"""Costs of a model: parameters, multiply-adds, memory, speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.profiling.count import Cost as Cost
    from attseg.profiling.count import Profile as Profile
    from attseg.profiling.count import profile as profile
    from attseg.profiling.memory import measure_memory as measure_memory
    from attseg.profiling.speed import Latency as Latency
    from attseg.profiling.speed import measure_latency as measure_latency

__getattr__, __dir__ = lazy(__name__)
