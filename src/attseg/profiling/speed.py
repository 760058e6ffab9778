"""How long a network takes for a picture, and how much memory, on the device at hand."""

from __future__ import annotations

import platform
import re
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from attseg.files import read_text
from attseg.profiling.memory import measure_memory
from attseg.profiling.subject import Subject

WARM_UP = 3
"""Passes before the clock counts: caches fill, kernels are chosen, memory is fetched."""

LEAST, MOST, SECONDS = 5, 100, 5.0
"""Passes that are timed: at least, at most, and for how long in between."""


@dataclass(frozen=True)
class Latency:
    """How long a forward pass takes.

    Args:
        device: Its name.
        threads: Threads that PyTorch computes with; on a GPU they only start the work.
        runs: Passes that were timed.
        median: Of their times, in seconds.
        low: A quarter of them took less.
        high: A quarter of them took more.
    """

    device: str
    threads: int
    runs: int
    median: float
    low: float
    high: float


def measure_cost(subject: Subject, size: tuple[int, int], device: torch.device) -> tuple[Latency, int | None]:
    """Latency of a network with random weights, and the most memory that a forward pass takes, in bytes; None if not known.

    Args:
        subject: The network.
        size: Height and width of the image.
        device: Where it computes.
    """
    model = subject.build("cpu").to(device)
    images = torch.rand(1, subject.in_channels, *size, device=device)
    latency = measure_latency(model, images)
    return latency, measure_gpu_memory(model, images) if device.type == "cuda" else measure_memory(subject, size)


def measure_latency(
    model: nn.Module, images: Tensor, *, least: int = LEAST, most: int = MOST, seconds: float = SECONDS
) -> Latency:
    """Time forward passes, one after the other, each to its end.

    Args:
        model: In evaluation mode, where ``images`` are.
        images: (N, 3, H, W).
        least: Passes that are timed in any case.
        most: Passes after which it ends.
        seconds: Time after which it ends.
    """
    times: list[float] = []
    with torch.inference_mode():
        for _ in range(WARM_UP):
            _timed(model, images)
        while len(times) < least or (len(times) < most and sum(times) < seconds):
            times.append(_timed(model, images))
    low, median, high = statistics.quantiles(times, method="inclusive") if len(times) > 1 else times * 3
    return Latency(device_name(images.device), torch.get_num_threads(), len(times), median, low, high)


def measure_gpu_memory(model: nn.Module, images: Tensor) -> int:
    """Bytes that a forward pass needs at its peak beyond weights and pictures, as PyTorch's allocator counts them."""
    with torch.inference_mode():
        model(images)  # what stays once it was there, such as workspaces, does not count
        torch.cuda.synchronize(images.device)
        torch.cuda.reset_peak_memory_stats(images.device)
        before = torch.cuda.memory_allocated(images.device)
        model(images)
        torch.cuda.synchronize(images.device)
    return torch.cuda.max_memory_allocated(images.device) - before


def device_name(device: torch.device) -> str:
    """Name of the processor or GPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    with suppress(OSError):  # only Linux has this file
        if name := re.search(r"model name\s*: (.+)", read_text(Path("/proc/cpuinfo"))):
            return name[1]
    return platform.processor() or platform.machine()


def _timed(model: nn.Module, images: Tensor) -> float:
    began = time.perf_counter()
    model(images)
    if images.is_cuda:
        torch.cuda.synchronize(images.device)
    return time.perf_counter() - began
