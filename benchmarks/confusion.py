"""Counting one confusion matrix: attseg against torchmetrics and a histogram of NumPy, all with equal counts.

Usage: OMP_NUM_THREADS=1 python benchmarks/confusion.py --rounds 5
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from machine import describe
from torchmetrics.classification import MulticlassConfusionMatrix

from attseg.metrics import ConfusionMatrix

CLASSES, HEIGHT, WIDTH = 19, 1024, 2048


def main() -> None:
    """Check that all count the same, then time them in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, CLASSES, (HEIGHT // 32, WIDTH // 32)).repeat(32, 0).repeat(32, 1).astype(np.uint8)
    wrong = rng.random(blocks.shape) < 0.2
    prediction = np.where(wrong, rng.integers(0, CLASSES, blocks.shape), blocks).astype(np.uint8)
    labels = np.where(rng.random(blocks.shape) < 0.1, 255, blocks).astype(np.uint8)
    predicted, labelled = torch.from_numpy(prediction), torch.from_numpy(labels)

    def ours() -> np.ndarray:
        confusion = ConfusionMatrix(CLASSES)
        confusion.update(predicted, labelled)
        return confusion.counts.numpy()

    def torchmetrics() -> np.ndarray:
        metric = MulticlassConfusionMatrix(CLASSES, ignore_index=255)
        metric.update(predicted, labelled)
        return metric.compute().numpy()

    def plain() -> np.ndarray:
        valid = labels != 255
        pairs = CLASSES * labels[valid].astype(np.int64) + prediction[valid]
        return np.bincount(pairs, minlength=CLASSES**2).reshape(CLASSES, CLASSES)

    ways: dict[str, Callable[[], np.ndarray]] = {"attseg": ours, "NumPy": plain, "torchmetrics": torchmetrics}
    expected = ours()
    for name, count in ways.items():
        assert np.array_equal(count(), expected), name
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, count in ways.items():
            start = time.perf_counter()
            count()
            times[name].append(time.perf_counter() - start)
    print(f"{describe()}\n\n{HEIGHT} x {WIDTH}, {CLASSES} classes, median of {rounds}\n")
    ours_median = float(np.median(times["attseg"]))
    for name, each in times.items():
        median = float(np.median(each))
        print(f"| {name} | {1000 * median:.1f} ms | {median / ours_median:.1f} x |")


if __name__ == "__main__":
    main()
