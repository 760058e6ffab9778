"""The device that a name stands for: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attseg.errors import UsageError, unknown

if TYPE_CHECKING:
    import torch

KINDS = ("auto", "cpu", "cuda", "cuda:N", "mps")


def check_device_name(name: str) -> None:
    """Refuse what is no name of a device, wherever it runs.

    Raises:
        UsageError: The message names the nearest.

    Example:
        >>> check_device_name("cuda:1")
        >>> check_device_name("gpu")
        Traceback (most recent call last):
        attseg.errors.UsageError: there is no device 'gpu'; a GPU is called cuda, cuda:1 or mps (of Apple)
    """
    if name.lower() == "gpu":
        raise UsageError("there is no device 'gpu'; a GPU is called cuda, cuda:1 or mps (of Apple)")
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise unknown("device", name, KINDS)


def find_device(name: str) -> torch.device:
    """The device of a name; ``auto`` is a GPU of CUDA if there is one, and else the processor.

    Raises:
        UsageError: There is no such device here.
    """
    import torch

    check_device_name(name)
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if there else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= there:
        found = f"only {there} of them" if there else "no GPU"
        raise UsageError(
            f"the device is {name}, but PyTorch finds {found} here; choose cpu or auto, or see `attseg doctor`"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("the device is mps, but PyTorch finds no GPU of Apple here; choose cpu or auto")
    return device
