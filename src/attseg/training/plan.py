"""Where and how a run happens: a ``Machine`` as asked for, made definite and checked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, cast

import torch
from torch import distributed

from attseg.devices import find_device
from attseg.errors import UsageError
from attseg.recipes.recipe import Machine, Recipe

MOST_WORKERS = 8

LEAST_OF_RECIPE = {"steps": 0, "epochs": 0, "minutes": 0, "patience": 0, "batch_size": 1, "val_every": 0, "seed": 0} | {
    f"optim.{name}": 0 for name in ("lr", "momentum", "weight_decay", "warmup", "clip")
}

LEAST_OF_MACHINE = {"devices": 1, "nodes": 1, "workers": -1, "cache": 0, "accumulate": 1, "save_every": 0, "timeout": 1}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Result of ``make_plan``.

    Args:
        machine: What was asked for.
        device: Kind of device.
        index: Number of the GPU, where one is named (``cuda:1``).
        devices: Processes a node.
        nodes: Computers.
        batch_size: Pictures of one process in one forward pass.
        rank: Number of this process, over all nodes; the first, 0, alone writes.
        workers: Processes that read training pictures for one process.
        channels_last: Whether pictures and weights have their channels innermost.
    """

    machine: Machine
    device: Literal["cpu", "cuda", "mps"]
    index: int | None
    devices: int
    nodes: int
    rank: int
    batch_size: int
    workers: int
    channels_last: bool

    @property
    def world(self) -> int:
        """Processes in all."""
        return self.devices * self.nodes


def make_plan(recipe: Recipe, machine: Machine) -> Plan:
    """Decide what ``machine`` leaves open. Under torchrun the number of processes is torchrun's.

    Raises:
        UsageError: A number out of range, a device that is not there, a batch that cannot be shared out evenly.
    """
    _check(recipe, LEAST_OF_RECIPE)
    _check(machine, LEAST_OF_MACHINE)
    if not 0 < recipe.optim.layer_decay <= 1:
        raise UsageError(
            f"optim.layer_decay is {recipe.optim.layer_decay}; a factor above 0 and up to 1 was expected, such as 0.7"
        )
    if not 0 <= recipe.ema < 1:
        raise UsageError(f"ema is {recipe.ema}; 0 (no average) or a decay below 1, such as 0.999, was expected")
    device = _device(machine)
    index = find_device(machine.device).index
    devices, nodes = _processes(machine, device)
    if devices > 1 and (index is not None or device == "mps"):
        raise UsageError(
            f"device is {machine.device}, which is one GPU, and {devices} processes were asked for; choose cuda"
        )
    parts = devices * nodes * machine.accumulate
    if recipe.batch_size % parts:
        raise UsageError(
            f"a batch of {recipe.batch_size} cannot be cut into {parts} equal parts ({devices * nodes} processes, accumulate "
            f"{machine.accumulate}); choose a batch_size that {parts} divides, or fewer parts"
        )
    return Plan(
        machine=machine,
        device=device,
        index=index,
        devices=devices,
        nodes=nodes,
        rank=int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", 0))),
        batch_size=recipe.batch_size // parts,
        workers=machine.workers if machine.workers >= 0 else _workers(device, devices),
        channels_last=machine.channels_last != "off",
    )


def under_torchrun() -> bool:
    """Whether this process is one of several that torchrun started."""
    return distributed.is_available() and distributed.is_torchelastic_launched()


def _check(record: Recipe | Machine, least: dict[str, int]) -> None:
    """Refuse numbers below the least value of their setting."""
    for name, bound in least.items():
        value = attrgetter(name)(record)
        if not value >= bound:
            raise UsageError(f"{name} is {value}; at least {bound} was expected")


def _device(machine: Machine) -> Literal["cpu", "cuda", "mps"]:
    device = find_device(machine.device).type
    if device != "cuda" and machine.precision == "fp16":
        raise UsageError("precision is fp16, which needs a GPU of CUDA; choose bf16 or 32 elsewhere")
    return cast("Literal['cpu', 'cuda', 'mps']", device)


def _workers(device: str, devices: int) -> int:
    """On a CPU, reading takes a hundredth of the time of a step, and a worker would take a core from the rest."""
    return 0 if device != "cuda" else max(1, min(MOST_WORKERS, (os.cpu_count() or 1) // devices))


def _processes(machine: Machine, device: str) -> tuple[int, int]:
    """Processes a node, and nodes."""
    devices, nodes = machine.devices, machine.nodes
    if under_torchrun():
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    elif nodes > 1:
        raise UsageError(f"nodes is {nodes}; start one process a device on each computer with torchrun")
    if device == "cuda" and devices > torch.cuda.device_count():
        raise UsageError(f"{devices} devices were asked for, but there are {torch.cuda.device_count()} GPUs here")
    return devices, nodes
