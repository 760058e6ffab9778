"""``evaluate`` against the plain loop of public scripts, with the same mIoU.

The plain loop takes one picture after another and one window after another, and adds full maps of probabilities on the processor,
as the test scripts that were published with segmentation papers do, with the network as torch makes it. Ours has the network with
channels innermost in memory, as ``attseg.load`` has it. Sides take turns; ratios are medians over rounds.

Usage: python benchmarks/evaluation.py --root ~/data/camvid [--pictures 20]      CamVid val
       python benchmarks/evaluation.py [--pictures 4]                            generated pictures of 1024 x 2048
"""

from __future__ import annotations

import argparse
import os
from copy import deepcopy
from pathlib import Path
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from machine import cost, describe
from torch import nn

from attseg.data.catalog import open_data
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Sample, SegmentationData
from attseg.evaluation.run import evaluate
from attseg.metrics import ConfusionMatrix
from attseg.models import FCN
from attseg.prediction.protocol import Protocol


class First:
    """The first pictures of a split, read anew each time."""

    def __init__(self, data: SegmentationData, count: int) -> None:
        self.data, self.count = data, min(count, len(data))
        self.classes, self.split = data.classes, data.split

    def __len__(self) -> int:
        return self.count

    def name(self, index: int) -> str:
        """As in the split."""
        return self.data.name(index)

    def __getitem__(self, index: int) -> Sample:
        return self.data[index]


def starts(length: int, protocol: Protocol) -> list[int]:
    """Where windows begin."""
    if length <= protocol.window:
        return [0]
    return [*range(0, length - protocol.window, protocol.step), length - protocol.window]


@torch.inference_mode()
def plain_loop(model: nn.Module, data: First, preprocessing: Preprocessing, protocol: Protocol, device: str) -> float:
    """The mIoU, one picture, one scale, one window, one mirror image after another."""
    confusion = ConfusionMatrix(len(data.classes))
    for index in range(len(data)):
        sample = data[index]
        height, width = sample.labels.shape
        pixels = torch.from_numpy(sample.image).permute(2, 0, 1)[None]
        total = np.zeros((len(data.classes), height, width), np.float32)
        for scale in protocol.scales:
            size = protocol.scaled_size(scale, height, width)
            scaled = pixels.float() if size == (height, width) else F.interpolate(pixels.float(), size, mode="bilinear")
            image = preprocessing(scaled)
            scores = np.zeros((len(data.classes), *size), np.float32)
            seen = np.zeros(size, np.float32)
            for top in starts(size[0], protocol):
                for left in starts(size[1], protocol):
                    place = np.s_[top : top + protocol.window, left : left + protocol.window]
                    part = image[..., place[0], place[1]].to(device)
                    found = model(part).logits.softmax(1)
                    if protocol.flip:
                        found = (found + model(part.flip(3)).logits.softmax(1).flip(3)) / 2
                    scores[:, place[0], place[1]] += found[0].cpu().numpy()
                    seen[place] += 1
            whole = torch.from_numpy(scores / seen)[None]
            total += F.interpolate(whole, (height, width), mode="bilinear")[0].numpy() / len(protocol.scales)
        confusion.update(total.argmax(0).astype(np.uint8), sample.labels)
    return confusion.miou


def main() -> None:
    """Run the sides in turns, and print pictures a second, ratios to the plain loop, and the mIoU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="folder of CamVid; generated pictures without it")
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--window", type=int, default=473)
    parser.add_argument("--scales", type=float, nargs="+", default=(0.75, 1.0, 1.25))
    parser.add_argument(
        "--size", type=int, nargs=2, default=(1024, 2048), help="height and width of generated pictures"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=0, help="processes that read; 0 reads in a thread")
    arguments = parser.parse_args()
    if arguments.root:
        data = First(open_data("camvid", "val", root=arguments.root), arguments.pictures)
    else:
        data = First(
            open_data("scenes", "val", size=tuple(arguments.size), count=arguments.pictures), arguments.pictures
        )
    protocol = Protocol(scales=tuple(arguments.scales), flip=True, window=arguments.window)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    model = FCN(len(data.classes), encoder=arguments.encoder).eval().to(arguments.device)
    fast = deepcopy(model).to(memory_format=torch.channels_last)
    preprocessing, device = Preprocessing(), arguments.device

    def ours(precision: str) -> float:
        report = evaluate(
            fast, data, preprocessing, protocol=protocol, device=device, workers=arguments.workers, precision=precision
        )
        return report.miou

    sides = {
        "plain loop": lambda: plain_loop(model, data, preprocessing, protocol, device),
        "attseg": lambda: ours("32"),
        "attseg, bf16": lambda: ours("bf16"),
    }
    print(f"{describe()}\n\n{device}, FCN {arguments.encoder}, {len(data)} pictures {protocol.describe()}\n")
    found: dict[str, float] = {}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(arguments.rounds):
        for name, side in sides.items():
            taken[name].append(cost(lambda name=name, side=side: found.__setitem__(name, side())))
    print("| | pictures a second | plain / this | in processor time | mIoU |\n| --- | ---: | ---: | ---: | ---: |")
    for name, times in taken.items():
        ratios = [median(p[kind] / t[kind] for p, t in zip(taken["plain loop"], times, strict=True)) for kind in (0, 1)]
        rate = len(data) / median(wall for wall, _ in times)
        print(f"| {name} | {rate:.3f} | {ratios[0]:.2f} | {ratios[1]:.2f} | {found[name]:.6f} |")
    print(f"\nMedians of {arguments.rounds} rounds; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
