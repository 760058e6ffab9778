"""Windows, scales and mirrors: attseg against one window at a time, as public evaluation scripts do it.

Both sides have the same network with the same random weights and get the same probabilities, up to rounding; the script says how
far they differ. They take turns. ``--evaluate`` also measures what it gives that reading, predicting and counting overlap.

    python benchmarks/sliding.py
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from machine import cost, describe, seconds
from PIL import Image
from torch import Tensor, nn

from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Array
from attseg.data.sets.folder import Folder
from attseg.evaluation.run import evaluate
from attseg.metrics import ConfusionMatrix
from attseg.models import PAN
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import find_protocol
from attseg.prediction.stream import Predictor

CPU = torch.device("cpu")
NORMALISE = Preprocessing()

CASES = {
    "psanet-sliding, 1024 x 2048, 19 classes": (find_protocol("psanet-sliding", data="cityscapes"), (1024, 2048), 19),
    "psanet-multiscale, 384 x 512, 150 classes": (find_protocol("psanet-multiscale", data="ade20k"), (384, 512), 150),
    "pan-multiscale, 375 x 500, 21 classes": (find_protocol("pan-multiscale"), (375, 500), 21),
}


@torch.inference_mode()
def plain(model: nn.Module, image: Array, protocol: Protocol, classes: int) -> Tensor:
    """(K, H, W) Probabilities: every window and its mirror image by itself, all maps at full size in double precision."""
    height, width = image.shape[:2]
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    total = np.zeros((height, width, classes))
    for scale in protocol.scales:
        size = protocol.scaled_size(scale, height, width)
        scaled = NORMALISE(F.interpolate(pixels, size, mode="bilinear") if size != (height, width) else pixels.clone())
        seen = torch.from_numpy(plain_scale(model, scaled, protocol, classes)).permute(2, 0, 1)[None]
        total += F.interpolate(seen, (height, width), mode="bilinear")[0].permute(1, 2, 0).numpy()
    return torch.from_numpy(total / len(protocol.scales)).permute(2, 0, 1)


def plain_scale(model: nn.Module, scaled: Tensor, protocol: Protocol, classes: int) -> np.ndarray:
    """(h, w, K) Probabilities of a scaled picture (1, 3, h, w)."""
    height, width = scaled.shape[2:]
    if not protocol.window:
        return plain_window(model, scaled)
    window, step = protocol.window, protocol.step
    down, along = max(0, window - height), max(0, window - width)
    scaled = F.pad(scaled, (along // 2, along - along // 2, down // 2, down - down // 2))
    full = scaled.shape[2:]
    total, count = np.zeros((*full, classes)), np.zeros((*full, 1))
    for y in range(math.ceil((full[0] - window) / step) + 1):
        for x in range(math.ceil((full[1] - window) / step) + 1):
            top, left = min(y * step, full[0] - window), min(x * step, full[1] - window)
            here = slice(top, top + window), slice(left, left + window)
            total[here] += plain_window(model, scaled[:, :, *here])
            count[here] += 1
    return (total / count)[down // 2 :, along // 2 :][:height, :width]


def plain_window(model: nn.Module, window: Tensor) -> np.ndarray:
    """(h, w, K) Probabilities of a window and of its mirror image, averaged."""
    straight, mirrored = model(torch.cat([window, window.flip(3)])).logits.softmax(1)
    return ((straight + mirrored.flip(2)) / 2).numpy().transpose(1, 2, 0)


def ours(model: nn.Module, image: Array, protocol: Protocol, classes: int) -> Tensor:
    """(K, H, W) Probabilities from bands."""
    bands = Predictor(model, classes, NORMALISE, CPU, protocol).bands(image)
    return torch.cat([band.probabilities() for band in bands], dim=1)


def one_after_another(model: nn.Module, data: Folder) -> None:
    """What evaluation does, without overlapping."""
    predictor = Predictor(model, len(data.classes), NORMALISE, CPU)
    confusion = ConfusionMatrix(len(data.classes))
    for index in range(len(data)):
        sample = data[index]
        confusion.update(predictor.labels(sample.image), sample.labels)


def street(height: int, width: int) -> Array:
    """A smooth picture with some noise."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 20), np.sin(y / 20), np.sin((x + y) / 20)], -1)
    noise = np.random.default_rng(0).normal(0, 10, waves.shape)
    return (128 + 80 * waves + noise).clip(0, 255).astype(np.uint8)


def write_folder(root: Path, count: int, height: int, width: int) -> Folder:
    """A data set of our own on the disk."""
    (root / "classes.csv").write_text("index,name\n" + "".join(f"{index},class {index}\n" for index in range(19)))
    for kind in ("images", "labels"):
        (root / kind / "val").mkdir(parents=True)
    labels = (np.mgrid[:height, :width].sum(0) // 50 % 19).astype(np.uint8)
    for index in range(count):
        Image.fromarray(np.roll(street(height, width), index, 1)).save(root / "images" / "val" / f"{index}.png")
        Image.fromarray(labels).save(root / "labels" / "val" / f"{index}.png")
    return Folder(root, "val")


def network(classes: int, channels_last: bool) -> nn.Module:
    """PAN on a ResNet-18; channels innermost in memory as ``load`` has them, or as torch makes them."""
    torch.manual_seed(0)
    model = PAN(classes, encoder="resnet18").eval()
    return model.to(memory_format=torch.channels_last) if channels_last else model


def compare(rounds: int, only: str) -> None:
    """The table of predictions."""
    print(
        "| protocol | attseg s | plain s | plain, channels last s | plain / attseg | in processor time | differ by | load |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, (protocol, size, classes) in CASES.items():
        if only not in name:
            continue
        image = street(*size)
        fast, slow = network(classes, True), network(classes, False)
        sides = [(ours, fast), (plain, slow), (plain, fast)]
        found = [side(model, image, protocol, classes) for side, model in sides]
        differ = max(float((one - found[0]).abs().max()) for one in found[1:])
        loads, taken = [], []
        for _ in range(rounds):
            taken.append([cost(side, model, image, protocol, classes) for side, model in sides])
            loads.append(os.getloadavg()[0])
        wall = np.median(taken, axis=0)[:, 0]
        ratios = [np.median([row[1][kind] / row[0][kind] for row in taken]) for kind in (0, 1)]
        times = " | ".join(f"{value:.2f}" for value in wall)
        print(
            f"| {name} | {times} | {ratios[0]:.2f} | {ratios[1]:.2f} | {differ:.1e} | {median(loads):.1f} |", flush=True
        )


def overlap(rounds: int) -> None:
    """The table of evaluations."""
    print("\n| evaluation of 24 PNG pictures of 360 x 480, single | s | load |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        data, model = write_folder(Path(folder), 24, 360, 480), network(19, True)
        sides = {
            "overlapping": lambda: evaluate(model, data, NORMALISE),
            "one after another": lambda: one_after_another(model, data),
        }
        taken = [[seconds(side) for side in sides.values()] for _ in range(rounds + 1)][1:]
        for name, value in zip(sides, np.median(taken, axis=0), strict=True):
            print(f"| {name} | {value:.2f} | {os.getloadavg()[0]:.1f} |", flush=True)


def main() -> None:
    """Measure and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each side runs; the median counts")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch")
    parser.add_argument("--only", default="", help="part of the name of a protocol")
    parser.add_argument("--evaluate", action="store_true", help="also measure what overlapping stages give")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"{describe()}\n")
    compare(args.rounds, args.only)
    if args.evaluate:
        overlap(args.rounds)


if __name__ == "__main__":
    main()
