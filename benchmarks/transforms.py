"""How long one training sample takes to make: attseg, torchvision in the papers' literal order, and OpenCV.

A picture of 1024 x 2048 pixels is scaled by 0.5 to 2, turned by up to 10 degrees, mirrored, blurred, cut to 713 x 713 and
normalised, on one thread. All sides get the same random numbers and take turns. OpenCV is measured if it is installed.

    python benchmarks/transforms.py
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import mean

import numpy as np
import torch
from machine import describe, seconds
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from attseg.data.feeding.transforms import TrainTransform
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Sample

HEIGHT, WIDTH, CROP = 1024, 2048, 713
FILL = (124, 116, 104)
NORMALISE = Preprocessing()

Result = tuple[Tensor, Tensor]


@dataclass
class Draw:
    """What is random about a crop, as ``TrainTransform`` draws it; the crop is at (top, left) of the scaled picture."""

    scale: float
    top: int
    left: int
    angle: float
    flip: bool

    @classmethod
    def from_seed(cls, seed: int, rotate: float) -> Draw:
        """The numbers that ``TrainTransform`` draws from a generator with this seed."""
        scale, y, x, angle, flip, *_ = np.random.default_rng(seed).random(10)
        scale = 0.5 + 1.5 * scale
        rooms = (round(side * scale) - CROP for side in (HEIGHT, WIDTH))
        top, left = (int(n * (room + 1)) if room >= 0 else room // 2 for n, room in zip((y, x), rooms, strict=True))
        return cls(scale, top, left, math.radians(rotate * (2 * angle - 1)), flip < 0.5)


def ours(sample: Sample, seed: int, rotate: float, blur: float) -> Result:
    """The transform of attseg, then its normalisation."""
    image, labels = TrainTransform((CROP, CROP), rotate=rotate, blur=blur)(sample, np.random.default_rng(seed))
    return NORMALISE(image[None]), labels


def literal(sample: Sample, seed: int, rotate: float, blur: float) -> Result:
    """torchvision: scale the picture, turn it, blur it, mirror it, cut the crop."""
    draw = Draw.from_seed(seed, rotate)
    size = [round(HEIGHT * draw.scale), round(WIDTH * draw.scale)]
    image = tv.resize(torch.from_numpy(sample.image).permute(2, 0, 1).contiguous(), size, antialias=True)
    labels = tv.resize(torch.from_numpy(sample.labels)[None], size, v2.InterpolationMode.NEAREST_EXACT)
    if rotate:
        degrees = math.degrees(draw.angle)
        image = tv.rotate(image, degrees, v2.InterpolationMode.BILINEAR, fill=list(FILL))
        labels = tv.rotate(labels, degrees, v2.InterpolationMode.NEAREST, fill=[255])
    if blur:
        image = tv.gaussian_blur(image, [5, 5], [1.0, 1.0])
    pad = [max(0, -draw.left), max(0, -draw.top), max(0, draw.left + CROP - size[1]), max(0, draw.top + CROP - size[0])]
    image, labels = tv.pad(image, pad, fill=list(FILL)), tv.pad(labels, pad, fill=255)
    image, labels = (tv.crop(x, max(0, draw.top), max(0, draw.left), CROP, CROP) for x in (image, labels))
    if draw.flip:
        image, labels = tv.horizontal_flip(image), tv.horizontal_flip(labels)
    return NORMALISE(image[None]), labels[0]


def opencv(sample: Sample, seed: int, rotate: float, blur: float) -> Result:
    """OpenCV: one warpAffine a picture (which aliases where it shrinks), one for the labels."""
    import cv2

    cv2.setNumThreads(1)
    draw = Draw.from_seed(seed, rotate)
    cos, sin = math.cos(draw.angle) / draw.scale, math.sin(draw.angle) / draw.scale
    turn = np.array([(cos, -sin), (sin, cos)])
    middle, corner = np.array([WIDTH / 2, HEIGHT / 2]), np.array([draw.left, draw.top])
    start = (
        middle + turn @ (corner - middle * draw.scale + 0.5) - 0.5
    )  # OpenCV counts from the middle of the first pixel
    if draw.flip:
        start, turn = start + turn[:, 0] * (CROP - 1), turn * (-1, 1)
    matrix, flags = np.column_stack([turn, start]), cv2.WARP_INVERSE_MAP
    image, labels = (
        cv2.warpAffine(x, matrix, (CROP, CROP), flags=flags | how, borderMode=cv2.BORDER_CONSTANT, borderValue=fill)
        for x, how, fill in ((sample.image, cv2.INTER_LINEAR, FILL), (sample.labels, cv2.INTER_NEAREST, 255))
    )
    if blur:
        image = cv2.GaussianBlur(image, (5, 5), 1.0)
    return NORMALISE(torch.from_numpy(image).permute(2, 0, 1)[None]), torch.from_numpy(labels)


def street() -> Sample:
    """A picture in patches, whose colour is that of its label, with a smooth texture."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    labels = ((y // 100 + x // 100) % 19).astype(np.uint8)
    texture = np.stack([np.sin(x / 20), np.sin(y / 20), np.sin((x + y) / 20)], -1)
    return Sample((100 + 5 * labels[..., None] + 20 * texture).astype(np.uint8), labels, "street")


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="how often each side makes each crop; the median counts")
    parser.add_argument("--crops", type=int, default=12, help="how many random crops")
    args = parser.parse_args()
    torch.set_num_threads(1)
    sample = street()
    sides = {"attseg": ours, "torchvision": literal} | ({"OpenCV": opencv} if find_spec("cv2") else {})

    print(f"{describe()}\n")
    print("| what | side | ms a crop | times attseg | labels as attseg |\n|---|---|---|---|---|")
    for rotate, blur in ((0.0, 0.0), (10.0, 0.0), (10.0, 1.0)):
        crops = [(sample, seed, rotate, blur) for seed in range(args.crops)]
        alike = {name: mean(agreement(side, *crop) for crop in crops) for name, side in sides.items()}
        taken = np.array(
            [[[seconds(side, *crop) for side in sides.values()] for crop in crops] for _ in range(args.rounds)]
        )
        milliseconds = 1000 * np.median(taken, axis=0).mean(axis=0)
        what = "scale, flip, crop" + ", rotate" * bool(rotate) + ", blur" * bool(blur)
        for name, value in zip(sides, milliseconds, strict=True):
            print(f"| {what} | {name} | {value:.1f} | {value / milliseconds[0]:.2f} | {alike[name]:.1%} |", flush=True)


def agreement(side: Callable[..., Result], sample: Sample, seed: int, rotate: float, blur: float) -> float:
    """Share of the crop where a side gives the label that attseg gives; also warms it up."""
    return float((side(sample, seed, rotate, blur)[1] == ours(sample, seed, rotate, blur)[1]).float().mean())


if __name__ == "__main__":
    main()
