"""Watching, and changing, every attention map of a model for as long as a ``with`` block lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from attseg.attention.pointwise.terms import Direction
from attseg.attention.tap import Kind, Tap
from attseg.errors import UsageError, unknown
from attseg.explain.passes import Passes

Edit = Callable[[Tensor], Tensor]
"""From a map to what takes its place."""


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """One map as it passed through its tap.

    Args:
        name: Where the tap stands in the model, such as ``context.pyramid``; in a network that runs at several image scales, at
            which: ``base.context.pyramid at 50 %``.
        kind: What the map weighs, which fixes the axes; see ``Tap``.
        weights: The map itself.
        direction: Of a ``pairwise`` map, what belongs to a point: ``collect`` is how much it gathers from every source,
            ``distribute`` how much it gives to every target.
        mechanism: Short name of what made the map, such as ``fpa``: ``Tap.name``, or the class that the tap belongs to.
    """

    name: str
    kind: Kind
    weights: Tensor
    direction: Direction | None = None
    mechanism: str = ""

    def __repr__(self) -> str:
        direction = f", {self.direction}" if self.direction else ""
        return f"AttentionMap({self.name!r}, {self.kind}{direction}, {tuple(self.weights.shape)})"


@contextmanager
def capture(
    model: nn.Module, *, edit: Mapping[str, Edit] | None = None, grad: bool = False
) -> Iterator[list[AttentionMap]]:
    """Collect the attention maps of every forward pass inside the block, in the order in which they arise.

    Args:
        model: A model of ours, or any module that holds taps.
        edit: By the name of a map, or of a tap for all its passes, what to put in the place of the map: "what if it had not
            attended?"
        grad: Keep the maps in the graph and their gradients after ``backward``; otherwise copies are kept.

    Yields:
        The list that fills up.

    Raises:
        UsageError: ``edit`` names a tap that the model does not have, or gives a map of another shape.
        RuntimeError: No map arose: nothing was run, the model was compiled before, or it has no attention. Also where a pairwise
            map would be too large to build; ``attseg.explain.looked.look`` has such maps for chosen points.

    Example:
        >>> import torch
        >>> from attseg.models import PAN
        >>> model = PAN(3, encoder="resnet18").eval()
        >>> with capture(model) as maps:
        ...     logits = model(torch.zeros(1, 3, 64, 64)).logits
        >>> maps[0].name, maps[0].kind, tuple(maps[0].weights.shape)
        ('context.pyramid', 'spatial', (1, 1, 4, 4))
    """
    passes, maps = Passes(model), list[AttentionMap]()

    def watch(path: str, tap: Tap, _: tuple[Tensor, ...], weights: Tensor) -> Tensor:
        if grad:
            weights = weights if weights.requires_grad else weights.detach().requires_grad_()
            weights.retain_grad()
        kept = weights if grad else weights.detach().clone()
        maps.append(AttentionMap(passes.count(path), tap.kind, kept, passes.direction(path), passes.mechanism(path)))
        return weights

    with edited(model, edit or {}), ExitStack() as stack:
        for path, tap in passes.taps.items():
            stack.callback(tap.register_forward_hook(partial(watch, path)).remove)
        yield maps
    if not maps:
        kind = type(model).__name__
        if not passes.taps:
            raise RuntimeError(f"this {kind} has no attention: none of its modules is a Tap")
        raise RuntimeError(
            f"none of the {len(passes.taps)} taps of this {kind} was passed: run the model inside the block, and run it as it is "
            "rather than compiled (hooks that are added after torch.compile never fire)"
        )


@contextmanager
def edited(model: nn.Module, edit: Mapping[str, Edit]) -> Iterator[None]:
    """Put other maps in the place of some, and watch none.

    Args:
        model: As for ``capture``.
        edit: As for ``capture``.

    Raises:
        UsageError: As ``capture``.
    """
    passes = Passes(model)
    for name in edit:
        if name not in (known := dict.fromkeys((*passes.taps, *passes.names()))):
            raise unknown("tap", name, known)

    def change(path: str, tap: Tap, _: tuple[Tensor, ...], weights: Tensor) -> Tensor:
        for key in dict.fromkeys((path, passes.count(path))):
            if key in edit:
                weights = _edited(edit[key], weights, key)
        return weights

    with ExitStack() as stack:
        for path, tap in passes.taps.items():
            if not edit.keys().isdisjoint((path, *passes.names_of(path))):
                stack.callback(tap.register_forward_hook(partial(change, path)).remove)
        yield


def _edited(edit: Edit, weights: Tensor, name: str) -> Tensor:
    edited = edit(weights)
    if edited.shape != weights.shape:
        raise UsageError(
            f"the edit of {name!r} gave a map of shape {tuple(edited.shape)}; {tuple(weights.shape)} was expected"
        )
    return edited
