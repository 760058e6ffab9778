"""How much the memory of a process grows at most in a forward pass on the CPU, found out in a process of its own.

As a script it reads what ``measure_memory`` writes, and answers with the bytes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from attseg.files import open_file, read_text
from attseg.models.frame import SMALLEST
from attseg.profiling.subject import Subject

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


class MeasureError(RuntimeError):
    """A process that was to measure memory failed; the message says with what."""


def measure_memory(subject: Subject, size: tuple[int, int]) -> int | None:
    """Bytes that a forward pass needs at its peak on the CPU, beyond what was there before it; None where it cannot be known.

    A new process builds the network, runs it once on a small picture, so that libraries are loaded, and then on a picture of
    ``size``. What is reported is the highest resident memory in between (VmHWM of Linux) minus that before.

    Raises:
        MeasureError: The process failed, most often because memory was short.
    """
    task = {"model": subject.model, "args": subject.args, "num_classes": subject.num_classes, "size": size}
    task["threads"] = torch.get_num_threads()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "attseg.profiling.memory"],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message; it may have run out of memory"]
        raise MeasureError(
            f"the process that measures the memory of {subject.label} ended with {done.returncode}: {last[0]}"
        )
    answer: int | None = json.loads(done.stdout)
    return answer


def growth(work: Callable[[], object]) -> int | None:
    """Bytes by which this process grows at most while it does ``work``; None on systems without Linux's /proc."""
    try:
        with open_file(RESET, "w") as file:
            file.write("5")  # the highest resident memory so far becomes the present one
    except OSError:
        return None
    before = _kibibytes("VmRSS")
    work()
    return 1024 * max(_kibibytes("VmHWM") - before, 0)


def _kibibytes(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", read_text(STATUS))
    return int(found[1]) if found else 0


def _answer(task: str) -> int | None:
    values = json.loads(task)
    torch.set_num_threads(values["threads"])
    subject = Subject("", values["model"], values["args"], values["num_classes"])
    model = subject.build("cpu")
    small, images = (torch.rand(1, subject.in_channels, *size) for size in ((SMALLEST, SMALLEST), values["size"]))
    with torch.inference_mode():
        model(small)
        return growth(lambda: model(images))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_answer(sys.stdin.read())))
