"""The machine at the time of a measurement, which every table begins with."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

import torch

SIDE = 1024
CPUINFO = Path("/proc/cpuinfo")


def seconds(call: Callable[..., object], *arguments: object) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def cost(call: Callable[..., object], *arguments: object) -> tuple[float, float]:
    """Seconds that one call takes, and those that processors worked for it, which a busy machine changes less."""
    start = time.process_time()
    taken = seconds(call, *arguments)
    return taken, time.process_time() - start


def peak() -> float:
    """What matrix products reach on this machine now, in GFLOP/s."""
    a = torch.rand(SIDE, SIDE)
    return 2 * SIDE**3 / median(seconds(torch.mm, a, a) for _ in range(15)) / 1e9


def describe() -> str:
    """Date, processor, its frequency now, cores, threads, load and matrix product, in one line."""
    found = CPUINFO.read_text() if CPUINFO.exists() else ""
    name = re.search(r"model name\s*: (.*)", found)
    rates = [float(rate) for rate in re.findall(r"cpu MHz\s*: (.*)", found)]
    frequency = f" at {median(rates):.0f} MHz" if rates else ""
    cores, threads, load = os.cpu_count(), torch.get_num_threads(), os.getloadavg()
    return (
        f"{date.today()}, {cores} cores of {name[1] if name else 'an unknown processor'}{frequency}, torch {torch.__version__}, "
        f"{threads} threads, load {load[0]:.1f} (1 min) and {load[1]:.1f} (5 min), matrix product {peak():.0f} GFLOP/s"
    )
