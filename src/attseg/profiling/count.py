"""Counting what a network costs, part by part, without computing anything: parameters, multiply-adds, memory of activations."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from attseg.errors import UsageError
from attseg.models.frame import SegmentationModel
from attseg.profiling.operations import flops_of

REST = "rest"
"""The name for what happens between the parts, such as resizing logits to the picture."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Cost of a network, or of a part of it, for one image in 32-bit floats.

    Args:
        parameters: How many numbers it learns; what parts share counts for the first.
        flops: Floating-point operations of a forward pass, two a multiply-add. Convolutions and products of matrices count, by
            custom; what normalises, activates, pools, resizes, adds or compares does not.
        kept_bytes: What autograd keeps in training until the backward pass: the storages of the tensors that it saved, each
            once, without weights, buffers and the picture. The loss would come on top.
        peak_bytes: The most that was alive at once, in inference, behind an operation of the part: the storages of all tensors
            that somebody still holds, without weights, buffers and the picture. Scratch memory within an operation is not seen.
        uncounted: Calls of operations that nobody has said the cost of, by name; with any, ``flops`` is a lower bound.
    """

    parameters: int = 0
    flops: int = 0
    kept_bytes: int = 0
    peak_bytes: int = 0
    uncounted: Counter[str] = field(default_factory=Counter)

    @property
    def multiply_adds(self) -> int:
        """Products that are added up: half of ``flops``."""
        return self.flops // 2

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            parameters=self.parameters + other.parameters,
            flops=self.flops + other.flops,
            kept_bytes=self.kept_bytes + other.kept_bytes,
            peak_bytes=max(self.peak_bytes, other.peak_bytes),
            uncounted=self.uncounted + other.uncounted,
        )


@dataclass(frozen=True)
class Profile:
    """Cost of a network.

    Args:
        size: Height and width of the picture.
        parts: The cost of each part that runs in inference, by name, in the order of the network.
        training: What each part costs on top in training, by name: all of a part that inference does not run, such as an
            auxiliary head; of the others only operations, as ``parts`` has their ``kept_bytes``.
    """

    size: tuple[int, int]
    parts: dict[str, Cost]
    training: dict[str, Cost]

    @property
    def total(self) -> Cost:
        """The network in inference."""
        return sum(self.parts.values(), Cost())

    @property
    def added_by_training(self) -> Cost:
        """Cost that training adds."""
        return sum(self.training.values(), Cost())


def profile(model: nn.Module, size: tuple[int, int], *, channels: int = 3) -> Profile:
    """Count what a network costs for one picture, on PyTorch's meta device, where tensors have shapes and no values.

    Once in evaluation without gradients, once in training with batch normalisation in evaluation, which costs the same and
    takes a single picture.

    Args:
        model: Any network of pictures (N, C, H, W); a copy is looked at. Its direct children are the parts, and of a child that
            only holds others, or is a network of ours itself, those.
        size: Height and width.
        channels: Channels C.

    Raises:
        UsageError: The network cannot be run on such a picture, or not without values.

    Example:
        >>> cost = profile(nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.ReLU()), (34, 34)).total
        >>> cost.parameters, cost.multiply_adds, cost.flops  # 3 x 8 x 9, and that at 32 x 32 places, and twice
        (216, 221184, 442368)
    """
    model = copy.deepcopy(model).to("meta")
    parts = dict(_parts(model))
    image = torch.empty(1, channels, *size, device="meta")
    inference = _Watch(model.eval(), parts, image)
    with torch.no_grad():
        inference.run()
    training = _Watch(_trained(model), parts, image)
    with torch.enable_grad():
        training.run()

    parts_run, added = {}, {}
    for name, parameters in _parameters(model, parts).items():
        runs, trains = inference.costs.get(name), training.costs.get(name, Cost())
        if runs is None and name in training.costs:
            added[name] = replace(trains, parameters=parameters, peak_bytes=0)
            continue
        cost = replace(runs or Cost(), parameters=parameters, kept_bytes=trains.kept_bytes)
        if name != REST or cost != Cost():
            parts_run[name] = cost
        more = Cost(flops=trains.flops - cost.flops, uncounted=trains.uncounted - cost.uncounted)
        if more != Cost():
            added[name] = more
    return Profile(size, parts_run, added)


def _parts(model: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The parts of a network by name."""
    for name, child in model.named_children():
        if isinstance(child, nn.ModuleDict | nn.ModuleList | SegmentationModel):
            yield from _parts(child, f"{prefix}{name}.")
        else:
            yield prefix + name, child


def _parameters(model: nn.Module, parts: dict[str, nn.Module]) -> dict[str, int]:
    """Parameters of each part, and of the rest; each parameter once."""
    seen: set[int] = set()
    counts = {}
    for name, part in [*parts.items(), (REST, model)]:
        new = [parameter for parameter in part.parameters() if id(parameter) not in seen]
        seen.update(map(id, new))
        counts[name] = sum(parameter.numel() for parameter in new)
    return counts


def _trained(model: nn.Module) -> nn.Module:
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    return model


class _Watch(TorchDispatchMode):
    """Sees every operation of a forward pass, every tensor that autograd saves, and in which part that is."""

    def __init__(self, model: nn.Module, parts: dict[str, nn.Module], image: Tensor) -> None:
        super().__init__()
        self.model = model
        self.image = image
        self.costs: dict[str, Cost] = {}
        self._inside = [REST]
        self._parts = parts
        self._live: WeakSet[torch.UntypedStorage] = WeakSet()
        self._kept: set[torch.UntypedStorage] = set()
        self._fixed = {t.untyped_storage() for t in (image, *model.parameters(), *model.buffers())}

    def run(self) -> None:
        hooks = [hook for name, part in self._parts.items() for hook in self._hooks(name, part)]
        try:
            with torch.autograd.graph.saved_tensors_hooks(self._save, lambda tensor: tensor), self:
                self.model(self.image)
        except (NotImplementedError, RuntimeError, ValueError) as error:
            h, w = self.image.shape[-2:]
            raise UsageError(
                f"{type(self.model).__name__} cannot be run on a picture of {h} x {w} to be counted: {error}"
            ) from error
        finally:
            for hook in hooks:
                hook.remove()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and tensor.untyped_storage() not in self._fixed:
                self._live.add(tensor.untyped_storage())
        flops = flops_of(func, args, kwargs, result)
        self._add(
            Cost(
                flops=flops or 0,
                peak_bytes=sum(storage.nbytes() for storage in self._live),
                uncounted=Counter({str(func.overloadpacket): 1} if flops is None else {}),
            )
        )
        return result

    def _save(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage not in self._fixed and storage not in self._kept:
            self._kept.add(storage)
            self._add(Cost(kept_bytes=storage.nbytes()))
        return tensor

    def _add(self, cost: Cost) -> None:
        name = self._inside[-1]
        self.costs[name] = self.costs.get(name, Cost()) + cost

    def _hooks(self, name: str, part: nn.Module) -> Iterator[Any]:
        def enter(*_: Any) -> None:
            self._inside.append(name)
            self._add(Cost())

        def leave(*_: Any) -> None:
            self._inside.pop()

        yield part.register_forward_pre_hook(enter)
        yield part.register_forward_hook(leave, always_call=True)
