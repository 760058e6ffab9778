"""Watching, and changing, every attention map of a model for as long as a ``with`` block lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from attseg.attention.tap import Kind, Tap
from attseg.errors import unknown


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """One map as it passed through its tap.

    Args:
        name: Where the tap stands in the model, such as ``context.pyramid``.
        kind: What the map weighs, which fixes the axes; see ``Tap``.
        weights: The map itself.
    """

    name: str
    kind: Kind
    weights: Tensor


@contextmanager
def capture(
    model: nn.Module, *, edit: Mapping[str, Callable[[Tensor], Tensor]] | None = None, grad: bool = False
) -> Iterator[list[AttentionMap]]:
    """Collect the attention maps of every forward pass inside the block, in the order in which they arise.

    Args:
        model: A model of ours, or any module that holds taps.
        edit: By the name of a tap, what to put in the place of its map: "what if it had not attended?"
        grad: Keep the maps in the graph and their gradients after ``backward``; otherwise copies are kept.

    Yields:
        The list that fills up.

    Raises:
        UsageError: ``edit`` names a tap that the model does not have.
        RuntimeError: No map arose: nothing was run, the model was compiled before, or it has no attention.

    Example:
        >>> import torch
        >>> from attseg.models import PAN
        >>> model = PAN(3, encoder="resnet18").eval()
        >>> with capture(model) as maps:
        ...     logits = model(torch.zeros(1, 3, 64, 64)).logits
        >>> maps[0].name, maps[0].kind, tuple(maps[0].weights.shape)
        ('context.pyramid', 'spatial', (1, 1, 4, 4))
    """
    taps = {name: module for name, module in model.named_modules() if isinstance(module, Tap)}
    edit = edit or {}
    for name in edit:
        if name not in taps:
            raise unknown("tap", name, taps)
    maps: list[AttentionMap] = []

    def watch(name: str, tap: Tap, _: tuple[Tensor, ...], weights: Tensor) -> Tensor:
        if name in edit:
            weights = edit[name](weights)
        if grad:
            weights.retain_grad()
        maps.append(AttentionMap(name, tap.kind, weights if grad else weights.detach().clone()))
        return weights

    with ExitStack() as stack:
        for name, tap in taps.items():
            stack.callback(tap.register_forward_hook(partial(watch, name)).remove)
        yield maps
    if not maps:
        kind = type(model).__name__
        if not taps:
            raise RuntimeError(f"this {kind} has no attention: none of its modules is a Tap")
        raise RuntimeError(
            f"none of the {len(taps)} taps of this {kind} was passed: run the model inside the block, and run it as it is rather "
            "than compiled (hooks that are added after torch.compile never fire)"
        )
