"""A step of training, data included: ``attseg train``'s against a plain loop around segmentation-models-pytorch's PAN.

    python benchmarks/training_step.py --threads 2
    python benchmarks/training_step.py --threads 1 --encoders resnet18 --crops 256x352 --rounds 5

Both read the same files (40 generated pictures of 360 x 480), mirror, scale by 0.5 to 2 and crop them, and train an encoder of
random weights with AdamW, both decoders with equal channels. The peer is the plain loop that people write: floats as they are or
``torch.autocast`` for bfloat16, without channels_last. For ``mix``, which segmentation-models-pytorch does not have, the peer is
its PAN at the same stride. ``frozen`` is ours with ``freeze: encoder``, against the same loops, which train everything.

All sides are in one process and take turns of one step, after two to warm up; ratios are medians over rounds.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import segmentation_models_pytorch as smp
import torch
from camvid_peer import CamVidFolder
from machine import cost, describe
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from attseg.converters.networks import build_network
from attseg.data.catalog import open_data
from attseg.data.preprocessing import Preprocessing
from attseg.data.sets.scenes import Scenes
from attseg.recipes import find_recipe
from attseg.recipes.recipe import DataSpec, Machine
from attseg.runs.labels import LabelStatistics
from attseg.runs.losses import RecentLosses
from attseg.training.engine import launched
from attseg.training.first_weights import Start
from attseg.training.learner import Learner
from attseg.training.loop import train_step, training_batches
from attseg.training.plan import make_plan

ENCODERS = ("resnet18", "tf_efficientnet_lite0", "convnextv2_atto")
NETWORKS: dict[str, dict[str, Any]] = {
    "pan": {"output_stride": 16},
    "mix": {"output_stride": 32, "gau_kernel": 1, "context": "global"},
}
CHANNELS, BATCH, RATE = 32, 4, 5e-4
Step = Callable[[], object]


def make_folder(folder: Path) -> None:
    """Forty generated pictures of 360 x 480 as files, with labels."""
    for split, count in (("train", 40), ("val", 1)):
        scenes = Scenes(split, size=(360, 480), count=count)
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            sample = scenes[index]
            Image.fromarray(sample.image).save(folder / f"images/{split}/{index:03}.jpg")
            Image.fromarray(np.asarray(sample.labels, np.uint8)).save(folder / f"labels/{split}/{index:03}.png")
    rows = [f"{index},{name}," for index, name in enumerate(Scenes.classes.names)]
    (folder / "classes.csv").write_text("\n".join(["index,name,ignore", *rows, "255,void,1"]))


def ours(folder: Path, name: str, encoder: str, crop: tuple[int, int], precision: str, freeze: str) -> Step:
    """A step of the loop of ``attseg train``."""
    recipe = find_recipe("pan-folder")
    args = {"encoder": encoder, "pretrained": False, "channels": CHANNELS, **NETWORKS[name]}
    recipe = replace(
        recipe,
        data=DataSpec(name="folder", root=str(folder)),
        model=replace(recipe.model, args=args),
        crop_size=crop,
        batch_size=BATCH,
        freeze=freeze,
        steps=10_000,
    )
    plan = make_plan(recipe, Machine(device="cpu", precision=precision, workers=0))  # type: ignore[arg-type]
    data = open_data("folder", "train", root=str(folder))
    torch.manual_seed(0)
    model = build_network(recipe.model.name, args, len(data.classes))
    fabric = launched(plan).__enter__()
    learner = Learner(fabric, Start(model, Preprocessing.of(model), None), recipe, plan, None)
    learner.train_mode()
    batches = training_batches(learner, data, LabelStatistics(None, None), None)
    losses = RecentLosses(1, 1)
    return lambda: train_step(learner, batches, losses)


def theirs(folder: Path, name: str, encoder: str, crop: tuple[int, int], precision: str) -> Step:
    """A step of a plain loop."""
    fill = {tv_tensors.Image: (124, 116, 104), tv_tensors.Mask: 255}
    changes = [v2.RandomHorizontalFlip(), v2.ScaleJitter((360, 480), (0.5, 2.0))]
    changes += [v2.RandomCrop(crop, pad_if_needed=True, fill=fill), v2.ToDtype(torch.float32, scale=True)]
    changes.append(v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    classes = len(open_data("folder", "train", root=str(folder)).classes)
    torch.manual_seed(0)
    network = smp.PAN(
        encoder if encoder.startswith("resnet") else f"tu-{encoder}",
        encoder_weights=None,
        encoder_output_stride=NETWORKS[name]["output_stride"],
        decoder_channels=CHANNELS,
        classes=classes,
    ).train()
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05)
    data = CamVidFolder(folder, "train", v2.Compose(changes))
    batches = endless(DataLoader(data, BATCH, shuffle=True, drop_last=True))

    def step() -> None:
        images, labels = next(batches)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            logits = network(images)
        criterion(logits.float(), labels).backward()
        optimizer.step()

    return step


def endless(loader: DataLoader[Any]) -> Iterator[Any]:
    """Batches without end."""
    while True:
        yield from loader


def measure(sides: dict[str, Step], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of a step, and of the processor, of each side and round."""
    for step in sides.values():
        step(), step()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, step in sides.items():
            found[name].append(cost(step))
    return found


def main() -> None:
    """Measure and print one table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS))
    parser.add_argument("--crops", nargs="+", default=["256x352", "512x512"], metavar="HEIGHTxWIDTH")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print(f"{describe()}\n")
    print("| network, encoder, crop | s, 32 bit | times as fast | s, bf16 | times as fast | than its 32 bit | ", end="")
    print("frozen, 32 bit | frozen, bf16 | in processor time: 32 bit, bf16, frozen, frozen bf16 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_folder(folder)
        for network in given.networks:
            for encoder in given.encoders:
                for text in given.crops:
                    height, width = (int(side) for side in text.split("x"))
                    print(row(folder, network, encoder, (height, width), given.rounds), flush=True)


def row(folder: Path, network: str, encoder: str, crop: tuple[int, int], rounds: int) -> str:
    """A line of the table."""
    what = (folder, network, encoder, crop)
    sides = {"theirs 32": theirs(*what, "32"), "theirs bf16": theirs(*what, "bf16")}
    sides |= {
        f"{freeze} {kind}": ours(*what, kind, freeze) for freeze in ("none", "encoder") for kind in ("32", "bf16")
    }
    found = measure(sides, rounds)

    def ratio(over: str, under: str, which: int = 0) -> str:
        return f"{median(a[which] / b[which] for a, b in zip(found[over], found[under], strict=True)):.2f}"

    seconds = {name: f"{median(one for one, _ in each):.2f}" for name, each in found.items()}
    pairs = [
        ("theirs 32", "none 32"),
        ("theirs bf16", "none bf16"),
        ("theirs 32", "encoder 32"),
        ("theirs bf16", "encoder bf16"),
    ]
    cells = [
        seconds["none 32"],
        ratio(*pairs[0]),
        seconds["none bf16"],
        ratio(*pairs[1]),
        ratio("theirs 32", "none bf16"),
    ]
    cells += [ratio(*pairs[2]), ratio(*pairs[3]), ", ".join(ratio(*pair, 1) for pair in pairs)]
    return f"| {network}, {encoder}, {crop[0]} x {crop[1]} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
