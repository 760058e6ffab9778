"""Counts: named tensors that are summed over images and processes, and stored in files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, distributed

Counts = dict[str, Tensor]
"""Tensors of int64 or float64 on the CPU, by name. A name that is missing stands for zeros."""

KINDS = {"int64": torch.int64, "float64": torch.float64}


def add_up(parts: Iterable[Mapping[str, Tensor]]) -> Counts:
    """The sum of counts, one after another, so that the same counts in the same order give the same bits.

    Example:
        >>> total = add_up([{"pixels": torch.tensor(2)}, {"pixels": torch.tensor(3), "edges": torch.tensor(1)}])
        >>> {name: int(value) for name, value in total.items()}
        {'pixels': 5, 'edges': 1}
    """
    total: Counts = {}
    for part in parts:
        for name, value in part.items():
            if name in total:
                total[name] += value
            else:
                total[name] = value.clone()
    return total


def sum_over_processes(counts: Mapping[str, Tensor], device: torch.device) -> Counts:
    """The sum over all processes of a group, the same in each; a process may lack names that others have.

    Args:
        counts: Of this process.
        device: Where its model is, for NCCL only speaks of tensors on the GPU.
    """
    shapes = {name: (value.shape, value.dtype) for name, value in counts.items()}
    gathered: list[dict[str, Any]] = [{} for _ in range(distributed.get_world_size())]
    distributed.all_gather_object(gathered, shapes)
    total = {}
    for name, (shape, kind) in sorted({name: like for one in gathered for name, like in one.items()}.items()):
        moved = counts[name].to(device) if name in counts else torch.zeros(shape, dtype=kind, device=device)
        distributed.all_reduce(moved)
        total[name] = moved.cpu()
    return total


def pack(counts: Mapping[str, Tensor]) -> dict[str, Any]:
    """Counts as plain values for JSON, without their zeros; every bit comes back.

    Example:
        >>> pack({"confusion": torch.tensor([[0, 7], [0, 0]])})
        {'confusion': {'kind': 'int64', 'shape': [2, 2], 'at': [1], 'values': [7]}}
    """
    packed = {}
    for name, value in counts.items():
        flat = value.flatten()
        at = flat.nonzero().flatten()
        kind = str(value.dtype).removeprefix("torch.")
        packed[name] = {"kind": kind, "shape": list(value.shape), "at": at.tolist(), "values": flat[at].tolist()}
    return packed


def unpack(packed: Mapping[str, Any]) -> Counts:
    """The counts that ``pack`` described."""
    counts = {}
    for name, one in packed.items():
        kind = KINDS[one["kind"]]
        flat = torch.zeros(math.prod(one["shape"]), dtype=kind)
        flat[torch.tensor(one["at"], dtype=torch.int64)] = torch.tensor(one["values"], dtype=kind)
        counts[name] = flat.view(one["shape"])
    return counts
