"""Whether a file computes what the network computes: on the same pictures, at several sizes, number by number."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from attseg.data.sample import Array
from attseg.export.deployable import Deployable
from attseg.export.program import ExportError
from attseg.export.samples import as_input, sample_pictures
from attseg.inference.exported.contract import Contract, Size
from attseg.inference.exported.description import Description
from attseg.inference.exported.engines import Engine, Numbers, read_description, start
from attseg.inference.segmenter import Segmenter

SIZES: tuple[Size, ...] = ((192, 256), (257, 321), (384, 512))
"""Sizes of the pictures that a file of free sizes is checked with; odd ones are where resizing goes wrong."""

AGREEMENT = 0.999
"""Least share of pixels that get the class that the network gives them."""

QUANTISED_AGREEMENT = 0.9
"""The same, of a file that computes in 8-bit integers. It only finds what is broken; what integers cost, mIoU says."""

LEAST_RUNS, MOST_SECONDS = 3, 1.0
"""How often each side is timed at a size, at least; and for how long, at most."""


@dataclass(frozen=True)
class ParityRow:
    """Parity at one input size.

    Args:
        size: Height and width of the pictures.
        pictures: How many, as one batch.
        difference: The largest difference of any number; infinite where either side gives NaN or an infinite number.
        agreement: Share of pixels with equal classes. Pixels with NaN or infinite numbers on either side count as unequal.
        network_seconds: For one picture, of the network in PyTorch with all that the file does.
        file_seconds: For one picture, of the file.
    """

    size: Size
    pictures: int
    difference: float
    agreement: float
    network_seconds: float
    file_seconds: float


@dataclass(frozen=True)
class Parity:
    """A file beside its network.

    Args:
        rows: One a size.
        limit: Least agreement.
        compared: Which numbers ``difference`` is of: scores, probabilities or logits.
        engine: What computed the file.
        threads: Of each side.
    """

    rows: tuple[ParityRow, ...]
    limit: float
    compared: str
    engine: str
    threads: int

    @property
    def passed(self) -> bool:
        """Whether classes agree well enough at every size."""
        return all(row.agreement >= self.limit for row in self.rows)

    def check(self, path: Path) -> None:
        """Refuse a file of which too few pixels get the class that the network gives them.

        Args:
            path: The file, for the message.

        Raises:
            ExportError: The agreement is below ``limit`` at some size.
        """
        if self.passed:
            return
        least = min(self.rows, key=lambda row: row.agreement)
        raise ExportError(
            f"{path} is written, but falls short of its network: at {least.size[0]} x {least.size[1]} only "
            f"{100 * least.agreement:.2f} % of the pixels get the same class, and {100 * self.limit:g} % were expected "
            "(--agreement)"
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        rows = [asdict(row) | ({} if math.isfinite(row.difference) else {"difference": None}) for row in self.rows]
        return {**asdict(self), "rows": rows, "passed": self.passed}


def check_parity(
    segmenter: Segmenter,
    path: Path,
    *,
    pictures: Sequence[Array] = (),
    sizes: Sequence[Size] | None = None,
    limit: float | None = None,
    on_size: Callable[[int, int], None] | None = None,
) -> Parity:
    """Run a file and its network on the same pictures.

    Args:
        segmenter: The network.
        path: The file that was exported from it.
        pictures: What to compare on, scaled to each size; generated scenes where none is given.
        sizes: Heights and widths; None takes ``SIZES`` and the smallest that the file takes. A file of one size is checked at
            that one alone.
        limit: Least agreement; None takes ``AGREEMENT``, or ``QUANTISED_AGREEMENT`` for a file of integers.
        on_size: Called before each size with how many are done, and how many there are.

    Raises:
        UsageError: There is no such file.
        ExportedError: The file cannot be run.
    """
    about = read_description(path)
    engine = start(path, about.contract.outputs)
    network = Deployable(segmenter.model, segmenter.preprocessing, about.contract).eval().to(segmenter.device)
    chosen = sizes_of(about) if sizes is None or about.contract.size else sizes
    rows = []
    for done, size in enumerate(chosen):
        if on_size is not None:
            on_size(done, len(chosen))
        rows.append(_compare(network, engine, about, size, pictures))
    return Parity(
        rows=tuple(rows),
        limit=limit if limit is not None else QUANTISED_AGREEMENT if about.quantised else AGREEMENT,
        compared=about.contract.outputs[-1],
        engine=engine.name,
        threads=torch.get_num_threads(),
    )


def sizes_of(about: Description) -> Sequence[Size]:
    """The sizes that a file is checked with, the smallest that it takes among them.

    Not for integers, which may decide a few pixels otherwise: of the few in a small picture, that would be too many.
    """
    if about.contract.size:
        return [about.contract.size]
    least = about.contract.smallest
    return SIZES if about.quantised else ((least, least), (least, least + 1), *SIZES)


def _compare(network: Deployable, engine: Engine, about: Description, size: Size, given: Sequence[Array]) -> ParityRow:
    images = as_input(
        sample_pictures(size, given, channels=about.contract.channels), about.contract, about.preprocessing
    )

    def eager(batch: Numbers) -> list[Numbers]:
        with torch.inference_mode():
            found = network(torch.from_numpy(batch).to(network.mean.device))
        return [each.cpu().numpy() for each in found]

    ours, theirs = eager(images), engine.compute(images)
    numbers = theirs[about.contract.outputs[-1]]
    labels = [_labels(about.contract, each) for each in (ours[0], theirs[about.contract.outputs[0]])]
    finite = np.isfinite(ours[-1]) & np.isfinite(numbers)
    pixels = finite if about.contract.gives == "labels" else finite.all(1)
    most = MOST_SECONDS * min(1.0, size[0] * size[1] / (SIZES[0][0] * SIZES[0][1]))
    seconds = _time(lambda: eager(images[:1]), lambda: engine.compute(images[:1]), most=most)
    return ParityRow(
        size=size,
        pictures=len(images),
        difference=float(np.abs(ours[-1] - numbers).max()) if finite.all() else math.inf,
        agreement=float(((labels[0] == labels[1]) & pixels).mean()),
        network_seconds=seconds[0],
        file_seconds=seconds[1],
    )


def _labels(contract: Contract, values: Numbers) -> Numbers:
    return values if contract.gives == "labels" else values.argmax(1)


def _time(*sides: Callable[[], object], most: float) -> list[float]:
    """The median seconds of each side, which take turns, so that whatever slows the computer down slows all."""
    for side in sides:
        side()
    times: list[list[float]] = [[] for _ in sides]
    while len(times[0]) < LEAST_RUNS or sum(map(sum, times)) < most:
        for side, taken in zip(sides, times, strict=True):
            began = time.perf_counter()
            side()
            taken.append(time.perf_counter() - began)
    return [median(taken) for taken in times]
