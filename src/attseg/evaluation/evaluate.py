"""Evaluation of a model on a split: every picture once, one confusion matrix over all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, distributed, nn

from attseg.data.classes import IGNORE
from attseg.data.feeding.loader import eval_loader
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Array, Sample, SegmentationData
from attseg.evaluation.report import Report
from attseg.metrics import ConfusionMatrix
from attseg.prediction.whole import predict_logits

OnPicture = Callable[[int, int, Sample, Array], None]


def evaluate(
    model: nn.Module,
    data: SegmentationData,
    preprocessing: Preprocessing,
    *,
    device: torch.device | str = "cpu",
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
    precision: str = "32",
    on_picture: OnPicture | None = None,
) -> Report:
    """Predict every picture of a split, seen once and whole, and count.

    Args:
        model: A model of ours; evaluated in evaluation mode, and left in the mode that it was in.
        data: The split.
        preprocessing: What the model was trained with.
        device: Where the model is.
        workers: Processes that read pictures.
        rank: Which of ``world`` processes this is; each takes every ``world``-th picture, and all get the same report.
        world: Processes that evaluate together, joined by ``torch.distributed``.
        precision: ``32``, ``bf16`` or ``fp16``.
        on_picture: Called after each picture with how many this process has done, how many it has, the sample, and its
            prediction (H, W).

    Returns:
        The report over all processes.

    Raises:
        DataError: A picture or its labels cannot be read.
        ValueError: The split is empty, or labels and model do not fit.
    """
    if len(data) == 0:
        raise ValueError(f"the split {data.split!r} has no picture to evaluate on")
    device = torch.device(device)
    total = len(range(rank, len(data), world))
    overall = ConfusionMatrix(len(data.classes))
    probes: dict[str, ConfusionMatrix] = {}
    ignored = 0
    was_training = model.training
    model.eval()
    try:
        loader = eval_loader(data, rank=rank, world=world, workers=workers)
        for done, sample in enumerate(loader, 1):
            logits = predict_logits(model, sample.image, preprocessing, device=device, precision=precision)
            prediction = logits.argmax(0).to(torch.uint8).cpu().numpy()
            overall.update(prediction, sample.labels)
            ignored += int((sample.labels == IGNORE).sum())
            for name, mask in (sample.probes or {}).items():
                labels = np.where(mask, sample.labels, np.uint8(IGNORE))
                probes.setdefault(name, ConfusionMatrix(len(data.classes))).update(prediction, labels)
            if on_picture is not None:
                on_picture(done, total, sample, prediction)
    finally:
        model.train(was_training)
    extra = torch.tensor([ignored])
    if world > 1:
        names = _names(probes)
        probes = {name: probes.get(name, ConfusionMatrix(len(data.classes))) for name in names}
        for counts in (extra, overall.counts, *(probe.counts for probe in probes.values())):
            _sum(counts, device)
    return Report(
        classes=data.classes,
        counts=overall.counts.numpy(),
        pictures=len(data),
        ignored=int(extra),
        probes={name: probe.counts.numpy() for name, probe in probes.items()},
    )


def _names(probes: dict[str, ConfusionMatrix]) -> list[str]:
    """Names of the probes that any process met; one with few pictures may have met none."""
    gathered: list[list[str]] = [[] for _ in range(distributed.get_world_size())]
    distributed.all_gather_object(gathered, sorted(probes))
    return sorted({name for names in gathered for name in names})


def _sum(counts: Tensor, device: torch.device) -> None:
    """Add up over all processes, in place; NCCL only speaks of tensors on the GPU."""
    moved = counts.to(device)
    distributed.all_reduce(moved)
    counts.copy_(moved)
