"""Names of the maps that a model passes, apart from each other where one tap is passed several times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from torch import nn

from attseg.attention.pairwise import Pairwise
from attseg.attention.pointwise.terms import Direction
from attseg.attention.tap import Tap
from attseg.models.refine import AttentionToRefine

BASE = "base."
"""Where the network stands that ``AttentionToRefine`` runs once for each image scale."""


class Passes:
    """Names of a model's taps, by pass.

    A tap is called by its path. One within the base of an ``AttentionToRefine`` is passed once for each image scale, largest
    first, which its name says at the end: ``base.context.pyramid at 50 %``.

    Args:
        model: A model of ours, or any module that holds taps.
    """

    def __init__(self, model: nn.Module) -> None:
        modules = dict(model.named_modules())
        self._modules = modules
        self.taps = {path: module for path, module in modules.items() if isinstance(module, Tap)}
        self.pairwise = {
            _join(path, "attention"): module for path, module in modules.items() if isinstance(module, Pairwise)
        }
        self._percents = model.percents if isinstance(model, AttentionToRefine) else ()
        self._passed: Counter[str] = Counter()

    def direction(self, path: str) -> Direction | None:
        """Which way the maps of points are read in a pairwise tap; None for any other kind."""
        if self.taps[path].kind != "pairwise":
            return None
        return self.pairwise[path].direction if path in self.pairwise else "collect"

    def mechanism(self, path: str) -> str:
        """Name of the tap at ``path``; without one, the class of the innermost module around it that is not private."""
        if self.taps[path].name:
            return self.taps[path].name
        owner = self.owner(path)
        return "" if owner is None else type(owner).__name__

    def owner(self, path: str) -> nn.Module | None:
        """The innermost module around the tap at ``path`` whose class is not private."""
        while path:
            path = path.rpartition(".")[0]
            if not type(self._modules[path]).__name__.startswith("_"):
                return self._modules[path]
        return None

    def names(self) -> Iterator[str]:
        """Every name that a map of a forward pass can have."""
        for path in self.taps:
            yield from self.names_of(path)

    def names_of(self, path: str) -> list[str]:
        """The names of the maps that pass the tap at ``path``, in their order."""
        return [_at(path, percent) for percent in self._percents] if self._several(path) else [path]

    def count(self, path: str) -> str:
        """The name of the map that passes the tap at ``path`` now."""
        if not self._several(path):
            return path
        percent = self._percents[self._passed[path] % len(self._percents)]
        self._passed[path] += 1
        return _at(path, percent)

    def _several(self, path: str) -> bool:
        return bool(self._percents) and path.startswith(BASE)


def _at(path: str, percent: int) -> str:
    return f"{path} at {percent} %"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def scale_names(model: nn.Module, count: int = 0) -> list[str]:
    """Names of a model's image scales, in the order of its maps of the kind ``scale``.

    Args:
        model: The model.
        count: How many numbers from 1 on are given for a model that has no image scales by name.
    """
    if isinstance(model, AttentionToRefine):
        return [f"{percent} %" for percent in model.percents]
    return [str(place + 1) for place in range(count)]
