"""Lightning Fabric as a plan wants it: devices, processes and precision; and what is said where a process is lost."""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import distributed

from attseg.runs.errors import RunError
from attseg.training.plan import Plan, under_torchrun

PRECISION: dict[str, Any] = {"32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


@contextmanager
def launched(plan: Plan) -> Iterator[Fabric]:
    """Fabric with all its processes running, for the time of the block.

    Without torchrun, this process is the first and starts the others, which run its command again from the beginning.

    Args:
        plan: Devices and processes, and their machine: precision, determinism, and how long a process is waited for.

    Raises:
        RunError: Another process was lost.
        SystemExit: In processes other than the first, where a ``RunError`` ends the run: the first reports it.
    """
    machine = plan.machine
    if plan.device == "cuda":
        torch.backends.cudnn.benchmark = not machine.deterministic
        if machine.deterministic:
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
            torch.use_deterministic_algorithms(True)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # no banners
    fabric = Fabric(
        accelerator=plan.device,
        devices=plan.devices if plan.index is None else [plan.index],
        num_nodes=plan.nodes,
        strategy=DDPStrategy(timeout=timedelta(seconds=machine.timeout)) if plan.world > 1 else "auto",
        precision=PRECISION[machine.precision],
        plugins=TorchElasticEnvironment() if under_torchrun() else LightningEnvironment(),
    )
    with reporting_lost_processes(plan, fabric):
        fabric.launch()
        yield fabric


@contextmanager
def reporting_lost_processes(plan: Plan, fabric: Fabric | None = None) -> Iterator[None]:
    """Turn the error of a collective operation whose other side is gone into a ``RunError``."""
    try:
        yield
    except RunError:
        if plan.rank == 0:
            raise
        raise SystemExit(0) from None
    except RuntimeError as error:
        if plan.world == 1 or not _is_lost_process(error):
            raise
        for process in getattr(fabric and fabric.strategy.launcher, "procs", ()):
            atexit.register(process.kill)  # a process that hangs would outlive this one
        raise RunError(
            f"process {plan.rank} of {plan.world} has lost another one, which ended or did not answer in time: what it "
            "said last is the reason. The run goes on from its last save with --resume"
        ) from error


def _is_lost_process(error: RuntimeError) -> bool:
    """Whether a collective operation failed; gloo, the backend for CPUs, has no error type of its own."""
    return isinstance(error, distributed.DistError) or any(word in str(error) for word in ("gloo", "pair closure"))
