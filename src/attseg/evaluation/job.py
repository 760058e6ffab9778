"""One evaluation from start to end: what is measured, the counts of each image, samples, and an archive for a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from typing import Protocol as Structure

import torch
from torch import nn

from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Array, DataError, Sample, SegmentationData
from attseg.data.wording import few
from attseg.errors import UsageError
from attseg.evaluation.bootstrap import DRAWS, LEVEL, check_drawable, miou_interval
from attseg.evaluation.boundary import BoundaryMeter
from attseg.evaluation.calibration import CalibrationMeter
from attseg.evaluation.comparison import picture_parts
from attseg.evaluation.identity import describe_classes
from attseg.evaluation.kept import KeptCounts
from attseg.evaluation.meter import Meter
from attseg.evaluation.report import Report
from attseg.evaluation.run import evaluate
from attseg.evaluation.sizes import SizeMeter
from attseg.evaluation.submission import Submission
from attseg.files import digest_file
from attseg.prediction.crf import DenseCrf
from attseg.prediction.protocol import Protocol
from attseg.prediction.stream import OnViews, Predictor
from attseg.recipes.recipe import DataSpec, Machine
from attseg.recipes.values import to_values

METERS: Mapping[str, Callable[[ClassTable], Meter]] = {
    "boundary": BoundaryMeter,
    "sizes": SizeMeter,
    "calibration": lambda _: CalibrationMeter(),
}
"""Meters beside mIoU, by name."""

SAMPLES = 4
"""Images in samples.png."""

LARGEST = 1024
"""Pixels of a side of a sample up to which it is kept as it is, and at least half of which larger ones keep."""

Shown = tuple[Array, Array, Array]
"""Image, labels and prediction of a sample."""


class Network(Structure):
    """A network to evaluate, such as a ``Segmenter``."""

    model: nn.Module
    preprocessing: Preprocessing
    device: torch.device


@dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """A measurement, for any model.

    Args:
        spec: Which data set.
        data: Its split.
        machine: Where.
        protocol: How images are seen.
        memory: MiB for a batch of views.
        meters: What to count beside the confusion matrix.
        crf: What refines predictions.
    """

    spec: DataSpec
    data: SegmentationData
    machine: Machine
    protocol: Protocol
    memory: int | None = None
    meters: list[Meter] = field(default_factory=list)
    crf: DenseCrf | None = None

    def about(self, file: Path) -> dict[str, Any]:
        """All that decides the counts; what was not asked for is null."""
        return {
            "classes": describe_classes(self.data.classes),
            "data": to_values(self.spec) | {"train": None, "val": None},
            "split": self.data.split,
            "pictures": len(self.data),
            "protocol": self.protocol.to_dict(),
            "precision": self.machine.precision,
            "weights": digest_file(file),
            "meters": sorted(meter.name for meter in self.meters) or None,
            "crf": self.crf.to_dict() if self.crf else None,
        }

    def keep_counts(self, file: Path, folder: Path, *, resume: bool) -> KeptCounts:
        """Where the counts of each image are kept, with all that decides them.

        Args:
            file: The weights.
            folder: Gets pictures.jsonl.
            resume: Whether to go on with what was begun.

        Raises:
            UsageError: There are counts of the same evaluation, which is not finished, and ``resume`` is false.
        """
        about, path = self.about(file), folder / "pictures.jsonl"
        if not resume and (found := KeptCounts.unfinished(path, about, len(self.data))):
            raise UsageError(
                f"{path} holds the counts of {found} of {len(self.data)} pictures of this evaluation; go on with --resume, or "
                "delete it to begin anew"
            )
        return KeptCounts(path, about, resume=resume)


@dataclass(frozen=True, eq=False)
class MeasuredModel:
    """One model, measured.

    Args:
        report: What was found.
        kept: Where the counts of each image are, if they are kept.
        data: The split.
        predictor: What predicts an image once more.
        crf: What refines its prediction.
        shown: Samples that were kept on the way, by the name of the image.
    """

    report: Report
    kept: KeptCounts | None
    data: SegmentationData
    predictor: Predictor
    crf: DenseCrf | None
    shown: dict[str, Shown]

    def label(self, image: Array) -> Array:
        """(H, W) The classes of an image, predicted once more."""
        if self.crf is None:
            return self.predictor.labels(image)
        return self.crf.refine(image, self.predictor.probabilities(image)).labels

    def samples(self) -> list[Shown]:
        """Samples spread over the split; those that were counted in an earlier run are predicted again."""
        chosen = []
        for name, index in _spread(self.data).items():
            if name not in self.shown:
                sample = self.data[index]
                self.shown[name] = _reduced(sample, self.label(sample.image))
            chosen.append(self.shown[name])
        return chosen

    def finish(self, submission: Submission) -> Path:
        """Write the archive; images that were counted in an earlier run are predicted again."""
        for index in range(len(self.data)):
            if self.data.name(index) not in submission:
                image = self.data[index].image
                submission.add(self.data.name(index), self.label(image), size=(image.shape[0], image.shape[1]))
        return submission.finish()


def measure(
    task: Task,
    network: Network,
    *,
    kept: KeptCounts | None = None,
    submission: Submission | None = None,
    on_picture: Callable[[int], None] | None = None,
    on_views: OnViews | None = None,
    tell: Callable[[str], None] | None = None,
) -> MeasuredModel:
    """Evaluate a model.

    Args:
        task: What to measure.
        network: The model, its preprocessing and its device.
        kept: Where counts are kept.
        submission: What predictions are added to as they come.
        on_picture: Called after each image with how many are done.
        on_views: Called on the way through an image that takes several batches, with how many views are done, and of how many.
        tell: Called with a sentence where images were measured anew, and where Ctrl-C came.

    Raises:
        DataError: As ``evaluate``, and where no pixel of the split counts.
    """
    data, machine, wanted = task.data, task.machine, _spread(task.data)
    shown: dict[str, Shown] = {}

    def take(done: int, _: int, sample: Sample, prediction: Array) -> None:
        if submission is not None:
            submission.add(sample.name, prediction, size=(sample.image.shape[0], sample.image.shape[1]))
        if sample.name in wanted:
            shown[sample.name] = _reduced(sample, prediction)
        if on_picture is not None:
            on_picture(done)

    try:
        report = evaluate(
            network.model,
            data,
            network.preprocessing,
            protocol=task.protocol,
            crf=task.crf,
            meters=task.meters,
            device=network.device,
            workers=max(machine.workers, 0),
            precision=machine.precision,
            memory=task.memory,
            kept=kept,
            on_picture=take,
            on_views=on_views,
        )
    except KeyboardInterrupt:
        if kept is not None and tell is not None:
            tell(f"{len(kept.names)} of {len(data)} pictures are counted in {kept.path}; --resume goes on from there")
        raise
    if kept is not None and kept.changed and tell is not None:
        what = f"{len(kept.changed)} of {len(data)} images or label files may have changed since they were counted"
        tell(f"{what}, and were measured anew: {few(kept.changed)}")
    if not report.counts.any():
        raise DataError(
            f"no pixel of the split {data.split!r} counts: its label files hold ignored values only, so there is no mIoU. "
            "Count their values with `attseg data check`"
        )
    predictor = Predictor(
        network.model,
        len(data.classes),
        network.preprocessing,
        network.device,
        task.protocol,
        machine.precision,
        task.memory,
    )
    return MeasuredModel(report, kept, data, predictor, task.crf, shown)


def describe_submission(submission: Submission) -> str:
    """The contents of a submission, and whether a server would find it complete."""
    rules = submission.rules
    text = f"{submission.path}: {len(submission)} pictures for the server of {rules.title}, checked"
    if len(submission) != rules.form.pictures:
        text += f"; its test split has {rules.form.pictures}"
    return text


def block_of(block: int | None, pictures: int, *, wanted: bool) -> int:
    """How many images are drawn together for intervals.

    Args:
        block: What was asked for.
        pictures: Images of the split.
        wanted: Whether intervals are asked for.

    Raises:
        UsageError: It is given and no interval is asked for, or the split is too small for one.
    """
    if block is not None and not wanted:
        raise UsageError("--block is about intervals; give --interval or --against too")
    chosen = 1 if block is None else block
    if wanted:
        check_drawable(pictures, chosen)
    return chosen


def interval_of(kept: KeptCounts, block: int) -> Mapping[str, Any]:
    """The interval of mIoU over images, as plain values."""
    found = miou_interval(picture_parts(kept), block=block)
    return found.to_dict() | {"level": LEVEL, "draws": DRAWS, "block": block}


def _spread(data: SegmentationData) -> dict[str, int]:
    """Images spread over the split, by name."""
    places = (round(place * (len(data) - 1) / (SAMPLES - 1)) for place in range(SAMPLES) if len(data))
    return {data.name(index): index for index in places}


def _reduced(sample: Sample, prediction: Array) -> Shown:
    """Every n-th pixel of a sample, so that four huge images do not fill the memory."""
    step = max(1, max(prediction.shape) // LARGEST)
    image, labels, predicted = (
        part[::step, ::step].copy() if step > 1 else part for part in (sample.image, sample.labels, prediction)
    )
    return image, labels, predicted
