"""Finds the tensors of a network in a checkpoint, whatever its names begin with, and tells what is missing or does not fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from attseg.text import dimensions

Shapes = Mapping[str, torch.Size]

PREFERRED = re.compile(r"(^|[._])(ema|teacher|average)([._]|$)")
"""Where a checkpoint holds a network twice, its average or its teacher is the one that it was saved for."""
WRAPPERS = ("module", "_orig_mod", "state_dict", "model_state_dict", "model", "backbone", "encoder", "network", "net")
HARMLESS = re.compile(
    r"(num_batches_tracked|relative_position_index|relative_coords_table|attn_mask|mask_token"
    r"|_tmp_running_mean|_tmp_running_var|_running_iter)$"
)
"""Ends of names of tensors that are computed anew, or that only pretraining uses."""
FEW = 3


@dataclass(frozen=True)
class Fit:
    """Fit of a checkpoint to a network.

    Args:
        tensors: Those that fit, by the network's names.
        missing: Names that the checkpoint lacks.
        misshapen: Names, each with both shapes, of tensors of another shape.
        surplus: Names of tensors that belong to another network of the same kind: further blocks, gates.
        unused: First parts of the names of all others, such as a classifier.
        prefix: What stood before the names in the checkpoint.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    misshapen: list[str] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    prefix: str = ""

    @property
    def complete(self) -> bool:
        """Whether every tensor is there, with its shape, and nothing belongs to another network."""
        return not (self.missing or self.misshapen or self.surplus)

    @property
    def preferred(self) -> bool:
        """Whether these are an average or a teacher of others in the same checkpoint."""
        return PREFERRED.search(self.prefix) is not None


def needed_shapes(state: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    """Names and shapes of what weights must give; counters of batches, which old files lack, are not among it."""
    return {name: tensor.shape for name, tensor in state.items() if not HARMLESS.search(name)}


def find_fits(tensors: Mapping[str, Tensor], needed: Shapes, whole: Shapes) -> list[Fit]:
    """How tensors fit a network, best first, once for each prefix that its names have there.

    Args:
        tensors: Everything in a checkpoint by its dotted name.
        needed: Names and shapes that the network needs.
        whole: Names of the whole network, with its classifier: others must not be beside those needed.
    """
    names = {_plain(name): name for name in needed}
    prefixes = Counter(prefix for name in tensors for prefix, rest in _splits(name) if _plain(rest) in names)
    most = max(prefixes.values(), default=0)
    fits = [fit_at(tensors, prefix, needed, whole) for prefix, count in prefixes.items() if 10 * count >= 9 * most] or [
        Fit(missing=list(needed))
    ]
    return sorted(fits, key=lambda fit: (not fit.complete, -len(fit.tensors)))


def fit_at(tensors: Mapping[str, Tensor], prefix: str, needed: Shapes, whole: Shapes) -> Fit:
    """How the tensors below a prefix fit a network."""
    below = {_plain(name.removeprefix(prefix)): name for name in tensors if name.startswith(prefix)}
    plain = {_plain(name): name for name in needed}
    fitting, missing, misshapen = {}, [], []
    for key, name in plain.items():
        if key not in below:
            missing.append(name)
        elif (tensor := tensors[below[key]]).shape != needed[name]:
            misshapen.append(f"{name} ({dimensions(tensor.shape)}, needs {dimensions(needed[name])})")
        else:
            fitting[name] = tensor
    tops = {name.partition(".")[0] for name in (*needed, *(name for name in whole if _plain(name) in plain))}
    known = {*plain, *map(_plain, whole)}
    surplus, unused = [], dict[str, None]()
    for key, name in below.items():
        rest = name.removeprefix(prefix)
        if key in plain or HARMLESS.search(rest):
            continue
        top = rest.partition(".")[0]
        if key not in known and (top in tops or top == rest):
            surplus.append(rest)
        else:
            unused[top] = None
    return Fit(fitting, missing, misshapen, surplus, list(unused), prefix)


def unwrapped(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """The tensors without the usual wrappers before their names, one wrapper less each time, and what was taken off."""
    prefix, rest = "", dict(tensors)
    while True:
        yield prefix, rest
        tops = {name.partition(".")[0] for name in rest}
        wrapper = next((w for w in (*filter(PREFERRED.search, sorted(tops)), *WRAPPERS) if w in tops), None)
        if wrapper is None:
            return
        prefix += f"{wrapper}."
        rest = {name.removeprefix(f"{wrapper}."): t for name, t in rest.items() if name.startswith(f"{wrapper}.")}


def told(fit: Fit, needed: Shapes) -> str:
    """How much fits, and what does not, by a few names."""
    parts = [f"{len(fit.tensors)} of {len(needed)} tensors fit"]
    for what, names in (
        ("missing", fit.missing),
        ("of another shape", fit.misshapen),
        ("not in this network", fit.surplus),
    ):
        if names:
            more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
            parts.append(f"{what}: {', '.join(names[:FEW])}{more}")
    return "; ".join(parts)


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """A dotted name cut at each dot: what is before, with its dot, and the rest."""
    yield "", name
    for at, letter in enumerate(name):
        if letter == ".":
            yield name[: at + 1], name[at + 1 :]


def _plain(name: str) -> str:
    """A name as it is in both of timm's forms: ``stages.0.blocks`` is ``stages_0.blocks`` where only maps are wanted."""
    return name.replace(".", "_")
