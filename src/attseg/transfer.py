"""Which of some weights fit a network of other classes or parts, for fine-tuning; ``checkpoint`` loads what fits exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from attseg.checkpoint import Weights, WeightsError
from attseg.data.classes import ClassTable
from attseg.tensors import explain_state, listed

BASE = "base."
"""Before the names of the network that ``AttentionToRefine`` runs at several scales."""

MOST_NAMED = 5
"""Classes that a line names."""


@dataclass(frozen=True)
class Transfer:
    """Result of ``find_transfer``. Names are those in the network; the file's stand beside them.

    Args:
        weights: The file.
        whole: Tensors that are taken as they are.
        rows: Tensors of which the rows of equal classes are taken, with the axis of the classes.
        pairs: Classes that both know: number in the network, and in the file.
        encoder: Whether the encoder is taken.
        told: All this in one line.
    """

    weights: Weights
    whole: dict[str, str]
    rows: dict[str, tuple[str, int]]
    pairs: list[tuple[int, int]]
    encoder: bool
    told: str

    @torch.no_grad()
    def load_into(self, model: nn.Module) -> None:
        """Load what was found to fit; all else keeps its values."""
        own, state = model.state_dict(), self.weights.state
        for name, source in self.whole.items():
            own[name].copy_(state[source])
        for name, (source, axis) in self.rows.items():
            for here, there in self.pairs:
                own[name].select(axis, here).copy_(state[source].select(axis, there))


def find_transfer(weights: Weights, build: Callable[[int], nn.Module], classes: ClassTable, origin: str) -> Transfer:
    """Find what of some weights fits a network: tensors of the same name and shape, and rows of classes of the same name.

    Of an encoder all is taken or nothing, since a part of a pretrained network is worth little. Class names are compared without
    case.

    Args:
        weights: Of any network.
        build: Makes the network for a number of classes; its values do not matter, and it may be on the meta device.
        classes: Of the network.
        origin: Name of the weights, for the line that says what was taken.

    Raises:
        WeightsError: Nothing fits, or a tensor is of another kind than its parameter.
    """
    model = build(len(classes))
    own, state = model.state_dict(), weights.state
    source = _sources(own, state)
    wider = build(len(classes) + 1).state_dict()
    known = {name.casefold(): index for index, name in enumerate(weights.classes.names)}
    pairs = [(index, known[name.casefold()]) for index, name in enumerate(classes.names) if name.casefold() in known]
    same = weights.classes.names == classes.names

    whole, rows = {}, {}
    for name, tensor in own.items():
        if source.get(name) is None:
            continue
        theirs = state[source[name]].shape
        axes = [axis for axis, (a, b) in enumerate(zip(tensor.shape, wider[name].shape, strict=True)) if a != b]
        if theirs == tensor.shape and (same or not axes):
            whole[name] = source[name]
        elif len(axes) == 1 and pairs and _fits_but_for(axes[0], theirs, tensor.shape, len(weights.classes)):
            rows[name] = (source[name], axes[0])
    encoder = [name for name in own if name.startswith(_encoder_prefix(model))]
    has_encoder = all(name in whole for name in encoder)
    if not has_encoder:
        whole = {name: there for name, there in whole.items() if name not in set(encoder)}
    if not any(own[name].ndim > 1 for name in (*whole, *rows)):
        raise WeightsError(
            f"nothing in {origin}, weights of a {weights.model.name}, fits this {type(model).__name__}; give the model that "
            "they are of "
            "(attseg profile shows it), or begin without them"
        )
    if problems := explain_state({name: state[there] for name, there in whole.items()}, own):
        raise WeightsError(
            f"the weights in {origin} cannot be loaded into this {type(model).__name__}:{listed(problems)}"
        )
    told = _told(own, whole, rows, [index for index, _ in pairs], classes, origin, same=same)
    return Transfer(weights, whole, rows, pairs, has_encoder, told)


def _sources(own: Iterable[str], state: Iterable[str]) -> dict[str, str]:
    """The name in the file by that in the network; a network may be the base of another one in either."""
    forms = [
        {name: name for name in state},
        {f"{BASE}{name}": name for name in state},
        {name.removeprefix(BASE): name for name in state if name.startswith(BASE)},
    ]
    names = set(own)
    return max(forms, key=lambda form: len(names & form.keys()))


def _fits_but_for(axis: int, theirs: torch.Size, ours: torch.Size, count: int) -> bool:
    """Whether two shapes are equal but for one axis, along which the file has a row a class."""
    if len(theirs) != len(ours) or theirs[axis] != count:
        return False
    return all(a == b for place, (a, b) in enumerate(zip(theirs, ours, strict=True)) if place != axis)


def _encoder_prefix(model: nn.Module) -> str:
    return next(f"{name}." for name, module in model.named_modules() if module is model.encoder)


def _told(
    own: Iterable[str],
    whole: dict[str, str],
    rows: dict[str, tuple[str, int]],
    known: list[int],
    classes: ClassTable,
    origin: str,
    *,
    same: bool,
) -> str:
    names = list(own)
    parts = Counter(
        name.removeprefix(BASE).partition(".")[0] for name in names if name not in whole and name not in rows
    )
    told = f"{len(whole) + len(rows)} of {len(names)} tensors from {origin}"
    if parts:
        told += f"; new: {', '.join(f'{part} ({count})' for part, count in parts.items())}"
    if rows and not same:
        taken = [classes.names[index] for index in known]
        new = [name for name in classes.names if name not in taken]
        told += f"; classes taken over: {_few(taken)}; new: {_few(new) if new else 'none'}"
    elif not same:
        told += "; no class is taken over"
    return told


def _few(names: list[str]) -> str:
    return f"{', '.join(names[:MOST_NAMED])}{f' and {len(names) - MOST_NAMED} more' if len(names) > MOST_NAMED else ''}"
