"""The peer for ``pan-camvid``: a plain training loop around segmentation-models-pytorch's PAN.

Same encoder (ResNet-18, no pretrained weights), splits, crop, batch and class weights (square root of the median-frequency
weights) as our recipe, and the same wall time; nothing of attseg is imported, so that the two sides share no code.

    python benchmarks/camvid_peer.py --root CAMVID --minutes 20 --out peer.json
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import time
from datetime import date
from pathlib import Path

import numpy as np
import segmentation_models_pytorch as smp
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

NAMES = ["sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist"]
VOID = 11
CROP = (256, 352)
MEDIAN_FREQUENCY = (0.2793, 0.2017, 4.7865, 0.1490, 1.0, 0.4217, 3.8467, 1.9736, 0.7889, 6.3747, 8.8587)


class CamVidFolder(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of ``images/SPLIT/*.jpg`` and ``labels/SPLIT/*.png``, transformed."""

    def __init__(self, root: Path, split: str, transform: v2.Transform) -> None:
        self.images = sorted((root / "images" / split).glob("*.jpg"))
        self.labels = [root / "labels" / split / f"{image.stem}.png" for image in self.images]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = tv_tensors.Image(Image.open(self.images[index]).convert("RGB"))
        label = tv_tensors.Mask(torch.from_numpy(np.array(Image.open(self.labels[index])).astype(np.int64)))
        return self.transform(image, label)


def main() -> None:
    """Train for the time given, then evaluate the last weights on the whole validation pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="folder with images/ and labels/")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("peer.json"))
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    random.seed(args.seed)

    normalise = [
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
    fill = {tv_tensors.Image: (124, 116, 104), tv_tensors.Mask: VOID}
    train = CamVidFolder(
        args.root,
        "train",
        v2.Compose(
            [
                v2.RandomHorizontalFlip(),
                v2.ScaleJitter((360, 480), (0.5, 2.0)),
                v2.RandomCrop(CROP, pad_if_needed=True, fill=fill),
                *normalise,
            ]
        ),
    )
    val = CamVidFolder(args.root, "val", v2.Compose(normalise))
    model = smp.PAN("resnet18", encoder_weights=None, classes=11)
    weights = torch.tensor(MEDIAN_FREQUENCY).sqrt()
    criterion = nn.CrossEntropyLoss(weight=weights, ignore_index=VOID)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    loader = DataLoader(train, batch_size=8, shuffle=True, drop_last=True, num_workers=2, persistent_workers=True)

    budget, start, step = args.minutes * 60, time.monotonic(), 0
    model.train()
    while time.monotonic() - start < budget:
        for image, label in loader:
            progress = min((time.monotonic() - start) / budget, 1.0)
            if progress >= 1.0:
                break
            optimizer.param_groups[0]["lr"] = 0.05 * (1 - progress) ** 0.9
            optimizer.zero_grad()
            loss = criterion(model(image), label)
            loss.backward()
            optimizer.step()
            step += 1
            if step % 20 == 0:
                print(
                    f"step {step}  loss {loss.item():.3f}  {step * 8 / (time.monotonic() - start):.2f} images/s",
                    flush=True,
                )
    seconds = time.monotonic() - start

    model.eval()
    counts = np.zeros((11, 11), np.int64)
    with torch.inference_mode():
        for image, label in val:
            padded = nn.functional.pad(
                image[None], (0, 0, 0, 8), mode="reflect"
            )  # smp's PAN needs sizes divisible by 16
            predicted = model(padded)[0, :, :360].argmax(0).numpy()
            truth = label.numpy()
            valid = truth != VOID
            counts += np.bincount(truth[valid] * 11 + predicted[valid], minlength=121).reshape(11, 11)
    hits = counts.diagonal()
    iou = hits / (counts.sum(0) + counts.sum(1) - hits)
    report = {
        "model": f"smp {smp.__version__} PAN resnet18",
        "miou": float(iou.mean()),
        "pixel_accuracy": float(hits.sum() / counts.sum()),
        "per_class": dict(zip(NAMES, iou.round(4).tolist(), strict=True)),
        "steps": step,
        "seconds": round(seconds, 1),
        "images_per_second": round(step * 8 / seconds, 2),
        "seed": args.seed,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "machine": platform.processor() or platform.machine(),
        "date": date.today().isoformat(),
    }
    args.out.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
