"""Attention maps switched off, made even, or replaced by another model's: edits for ``capture`` and ``edited``.

What a map is without attention follows from its use, which its ``Tap`` states:

    use      off                                              even
    gate     1: all passes as it is                           its mean over the map of the picture
    share    0: nothing is gathered; of image scales,         the mean over what is summed, so that the total stays; of pairs,
             the largest alone counts                         over the sources within reach
    bias     0: nothing is added                              its mean over the map of the picture

A gate or a bias of class scores that is even does the same to all classes, so that the predicted classes are those of off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from attseg.attention.pairwise import Pairwise
from attseg.attention.tap import Kind, Tap
from attseg.errors import UsageError, unknown
from attseg.explain.capture import Edit
from attseg.explain.passes import Passes
from attseg.text import TextTable

How = Literal["off", "even", "other"]

SUMMED: Mapping[Kind, tuple[int, ...]] = {
    "scale": (1,),
    "class": (1,),
    "spatial": (2, 3),
    "pairwise": (1,),
    "channel-pairs": (1,),
}
"""Axes of a map of shares over which the sum goes, by its kind."""


def find_maps(model: nn.Module, names: Iterable[str]) -> list[str]:
    """The names of a model's maps that are asked for, in the order of the model.

    Args:
        model: A model of ours, or any module that holds taps.
        names: Of maps; of a tap for all its passes; or of a mechanism, such as ``gau``, for all its maps.

    Raises:
        UsageError: There is no such map, or the model has none.
    """
    passes = Passes(model)
    if not passes.taps:
        raise UsageError(f"this {type(model).__name__} has no attention: there is no map to switch")
    known: dict[str, list[str]] = {}
    for path in passes.taps:
        found = passes.names_of(path)
        known |= {path: found} | {name: [name] for name in found}
    for path in passes.taps:
        known.setdefault(passes.mechanism(path), []).extend(passes.names_of(path))
    asked = set()
    for name in names:
        if name not in known:
            raise unknown("attention map", name, known)
        asked.update(known[name])
    return [name for name in passes.names() if name in asked]


def map_parts(model: nn.Module) -> Iterator[str | TextTable]:
    """The maps of a model as a table, for people."""
    passes = Passes(model)
    if not passes.taps:
        yield f"this {type(model).__name__} has no attention"
        return
    rows = [
        (name, passes.mechanism(path), tap.kind, describe(tap, "off"))
        for path, tap in passes.taps.items()
        for name in passes.names_of(path)
    ]
    yield TextTable(("map", "mechanism", "kind", "switched off"), rows)


def switch(
    model: nn.Module, names: Iterable[str], how: How = "off", *, other: Mapping[str, Tensor] | None = None
) -> dict[str, Edit]:
    """Edits that switch maps.

    Args:
        model: A model of ours, or any module that holds taps.
        names: As for ``find_maps``.
        how: ``off`` or ``even``, as the text of this module says, or ``other``.
        other: For ``other``, the maps that take their place, by name.

    Raises:
        UsageError: As ``find_maps``; an unknown way; a map that the others lack.

    Example:
        >>> from attseg import capture
        >>> from attseg.models import PAN
        >>> model = PAN(3, encoder="resnet18").eval()
        >>> with capture(model, edit=switch(model, ["gau"])) as maps:
        ...     logits = model(torch.zeros(1, 3, 64, 64)).logits
        >>> [float(one.weights.min()) for one in maps if one.mechanism == "gau"]
        [1.0, 1.0, 1.0]
    """
    if how not in get_args(How):
        raise unknown("way to switch a map", how, get_args(How))
    if (how == "other") != (other is not None):
        given = "without the maps of another model" if other is None else "with maps of another model"
        raise UsageError(f"how is {how!r} {given}; give both how='other' and other=, or neither")
    passes, edits = Passes(model), dict[str, Edit]()
    chosen = find_maps(model, names)
    for path, tap in passes.taps.items():
        for name in passes.names_of(path):
            if name not in chosen:
                continue
            if how == "off":
                edits[name] = partial(_off, tap)
            elif how == "even":
                pairs = passes.pairwise.get(path)
                edits[name] = _even_pairs(pairs) if pairs is not None else partial(_even, tap)
            elif other is not None:
                if name not in other:
                    raise UsageError(f"the other model has no map {name!r}; its maps: {', '.join(other) or 'none'}")
                edits[name] = partial(_replaced, name, other[name])
    return edits


def describe(tap: Tap, how: How) -> str:
    """What the map of a tap is when it is switched, in words."""
    if how == "other":
        return "the map is that of the other model"
    if tap.kind == "scale":
        return "the largest image scale counts alone" if how == "off" else "all image scales count alike"
    if tap.use == "share":
        return "nothing is gathered" if how == "off" else "all weights are equal, of the same total"
    if how == "even":
        alike = "; it favours no class, so that the classes are those without it (off)" if tap.kind == "class" else ""
        return f"every weight is the mean of the map{alike}"
    return "every weight is 1: all passes as it is" if tap.use == "gate" else "nothing is added"


def describe_switched(model: nn.Module, names: Iterable[str], how: How) -> str:
    """What becomes of some maps of a model, as ``describe`` says it of each."""
    passes = Passes(model)
    switched = [tap for path, tap in passes.taps.items() if {*passes.names_of(path)} & {*names}]
    return "; ".join(dict.fromkeys(describe(tap, how) for tap in switched))


def _off(tap: Tap, weights: Tensor) -> Tensor:
    if tap.use == "gate":
        return torch.ones_like(weights)
    off = torch.zeros_like(weights)
    if tap.kind == "scale":
        off[:, 0] = 1
    return off


def _even(tap: Tap, weights: Tensor) -> Tensor:
    axes = SUMMED[tap.kind] if tap.use == "share" else tuple(range(1, weights.ndim))
    return weights.mean(axes, keepdim=True).expand_as(weights)


def _even_pairs(module: Pairwise) -> Callable[[Tensor], Tensor]:
    def even(weights: Tensor) -> Tensor:
        """Of (N, sources H*W, targets H, W): each target's total, spread over the sources within its reach."""
        height, width = weights.shape[2:]
        reached = module.within_reach((height, width))
        if reached is None:
            return weights.mean(1, keepdim=True).expand_as(weights)
        share = reached.to(weights)
        return weights.sum(1, keepdim=True) * share / share.sum(0)

    return even


def _replaced(name: str, other: Tensor, weights: Tensor) -> Tensor:
    if other.shape != weights.shape:
        raise UsageError(
            f"the other model's map {name!r} has the shape {tuple(other.shape)}, and this one's {tuple(weights.shape)}; a model "
            "of the same architecture was expected"
        )
    return other.to(weights)
