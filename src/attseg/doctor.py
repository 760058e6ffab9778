"""Diagnoses the installation: versions, hardware, and what is missing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path
from typing import Any

from attseg.extras import install_command, requirements

LITTLE_SPACE = 2e9
"""Bytes; a run keeps its weights and two states, some hundred megabytes each for a large encoder."""

SUPPORTED = ("linux", "darwin")
UNTRIED = "attseg is supported on Linux and macOS; here it was not tried, and may work"


@dataclass(frozen=True)
class Component:
    """One thing that was looked at.

    Args:
        name: What.
        value: What was found.
        hint: What to do about it; empty where nothing needs to be done.
        ok: Whether attseg works as it is.
    """

    name: str
    value: str
    hint: str = ""
    ok: bool = True


def examine(folder: Path = Path()) -> list[Component]:
    """Look at Python, packages, processor, GPU and disk.

    Args:
        folder: Where runs are to be written.
    """
    lines = [
        Component("attseg", version("attseg")),
        Component("python", f"{platform.python_version()}, {sys.executable}"),
        Component("system", platform.platform(), "" if sys.platform in SUPPORTED else UNTRIED),
    ]
    needed = [_package(name) for name in _names()]
    extras = [_extra(name) for name in metadata("attseg").get_all("Provides-Extra") or ()]
    computer = _computer() if all(line.ok for line in needed) else []
    return [*lines, *needed, *extras, *computer, _disk(folder)]


def _names(extra: str | None = None) -> list[str]:
    """Names of the packages that attseg, or one of its extras, depends on."""
    return [re.split(r"[^\w.-]", requirement)[0] for requirement in requirements(extra)]


def _package(name: str) -> Component:
    try:
        return Component(name, version(name))
    except PackageNotFoundError:
        return Component(name, "missing", f"pip install {name}", ok=False)


def _extra(name: str) -> Component:
    missing = [line.name for line in map(_package, _names(name)) if not line.ok]
    if not missing:
        return Component(f"extra {name}", "installed")
    return Component(f"extra {name}", f"without {', '.join(missing)}", f"if you want it: {install_command(name)}")


def _computer() -> list[Component]:
    import torch

    cores, threads = _usable_cores(), torch.get_num_threads()
    hint = f"set OMP_NUM_THREADS={cores} to use all cores" if threads < cores else ""
    lines = [Component("threads", f"{threads} of {cores} cores", hint), _processor(_capabilities())]
    if not torch.cuda.is_available():
        return [*lines, Component("device", "cpu", "large pictures want a GPU: pan-camvid takes hours without one")]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        half = "bf16" if properties.major >= 8 else "fp16"
        memory = f"{properties.total_memory / 2**30:.0f} GiB"
        lines.append(
            Component(f"cuda:{index}", f"{properties.name}, {memory}", f"--machine.precision {half} is faster")
        )
    return lines


def _capabilities() -> Mapping[str, Any]:
    """Capabilities of the processor according to torch; empty where its release does not say."""
    import torch

    return getattr(torch.cpu, "get_capabilities", dict)()


def _processor(capabilities: Mapping[str, Any]) -> Component:
    """Its name, and whether it computes in bfloat16 (AVX-512 BF16, AMX, or the like on Arm)."""
    name = str(capabilities.get("cpu_name") or platform.processor() or platform.machine())
    found = [kind for kind, has in capabilities.items() if kind.endswith("bf16") and has]
    if found:
        return Component("processor", f"{name}, bfloat16 ({', '.join(found)})", "--machine.precision bf16 is faster")
    return Component(
        "processor", f"{name}, no bfloat16" if capabilities else name, "--machine.precision 32 is faster than bf16"
    )


def _usable_cores() -> int:
    """Cores that this process may use, which are fewer than there are in a container."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _disk(folder: Path) -> Component:
    free = shutil.disk_usage(folder).free
    where = f"{free / 1e9:.0f} GB free in {folder.resolve()}"
    if not os.access(folder, os.W_OK):
        return Component("disk", where, "runs cannot be written here; choose another folder with --out", ok=False)
    return Component("disk", where, "little: choose another folder with --out" if free < LITTLE_SPACE else "")
