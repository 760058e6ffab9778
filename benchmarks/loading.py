"""How fast training samples arrive: workers, and decoded pictures kept in memory, shared by the workers or by each for itself.

Crops of CamVid, transformed as the recipe ``pan-camvid`` does it, are drawn in rounds through all 367 pictures. The first round
fills the memory and is not timed. Processor time counts all processes and depends little on what else runs; crops a second do, so
look at the load that is printed.

    python benchmarks/loading.py --data.root DIR
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from datetime import date
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import torch

from attseg.data.catalog import open_data
from attseg.data.feeding.cache import CachedData, SampleCache
from attseg.data.feeding.loader import train_loader
from attseg.data.feeding.transforms import TrainTransform
from attseg.data.sample import Array, Sample, SegmentationData
from attseg.recipes import find_recipe

BATCH = 8


class Counted:
    """A split that leaves a mark in a file for every picture that is decoded, in whichever process."""

    def __init__(self, data: SegmentationData, marks: Path) -> None:
        self.data, self.marks = data, marks
        self.classes, self.split = data.classes, data.split

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Sample:
        with self.marks.open("ab") as file:
            file.write(b".")
        return self.data[index]

    def name(self, index: int) -> str:
        """The name of a sample without reading it."""
        return self.data.name(index)


class OwnCache:
    """What the shared cache is compared with: every process keeps what it has decoded itself."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[Array, Array]] = {}

    def get(self, index: int) -> tuple[Array, Array] | None:
        """The picture and the labels, if they are there."""
        return self.kept.get(index)

    def put(self, index: int, image: Array, labels: Array) -> None:
        """Keep them."""
        self.kept[index] = image, labels


def processor_seconds() -> float:
    """Of this process and of all that it has started."""
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system
    return total


def measure(data: SegmentationData, kind: str, workers: int, rounds: int, marks: Path) -> dict[str, float]:
    """Draw ``rounds`` rounds after one that is not timed."""
    marks.write_bytes(b"")
    counted: SegmentationData = Counted(data, marks)
    length = len(data)
    if kind != "none":
        cache: Any = SampleCache(length, 10**9) if kind == "shared" else OwnCache()
        counted = CachedData(counted, cache)
    augment = vars(find_recipe("pan-camvid").augment)
    loader = train_loader(counted, TrainTransform((256, 352), **augment), batch_size=BATCH, seed=0, workers=workers)
    stream, batches = iter(loader), length // BATCH
    for _ in islice(stream, batches):
        pass
    cpu, wall = processor_seconds(), time.perf_counter()
    for _ in islice(stream, batches * rounds):
        pass
    cpu, wall = processor_seconds() - cpu, time.perf_counter() - wall
    stream.close()
    crops = batches * rounds * BATCH
    return {"rate": crops / wall, "cpu": 1000 * cpu / crops, "decoded": len(marks.read_bytes())}


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data.root", dest="root", required=True)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rounds", type=int, default=2, help="rounds that are timed")
    parser.add_argument(
        "--repeats", type=int, default=3, help="how often everything is measured, in turns; the median counts"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = open_data("camvid", "train", root=args.root)
    marks = Path(f"/tmp/attseg-loading-{os.getpid()}")
    cases = [
        (workers, kind) for workers in args.workers for kind in ("none", "shared", "own") if workers or kind != "own"
    ]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}"
    print(f"{date.today()}, {machine}, load {os.getloadavg()[0]:.1f}\n")
    found: dict[tuple[int, str], list[dict[str, float]]] = {case: [] for case in cases}
    try:
        for _ in range(args.repeats):
            for workers, kind in cases:
                found[workers, kind].append(measure(data, kind, workers, args.rounds, marks))
    finally:
        marks.unlink(missing_ok=True)
    print("| workers | kept | processor ms a crop | crops a second | decoded |\n|---:|---|---:|---:|---:|")
    for (workers, kind), results in found.items():
        cpu, rate, decoded = (median(result[key] for result in results) for key in ("cpu", "rate", "decoded"))
        print(f"| {workers} | {kind} | {cpu:.2f} | {rate:.0f} | {decoded:.0f} |")
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
