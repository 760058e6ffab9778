"""What the verbs that measure share: options for more meters, the CRF and submissions, and one evaluation from start to end."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.cli.evaluate_output import Watch
from attseg.cli.parser import Parser
from attseg.data.wording import few
from attseg.errors import UsageError
from attseg.recipes.recipe import DataSpec, Machine
from attseg.recipes.values import to_values

if TYPE_CHECKING:
    from attseg.data.classes import ClassTable
    from attseg.data.sample import Array, SegmentationData
    from attseg.evaluation.kept import KeptCounts
    from attseg.evaluation.meter import Meter
    from attseg.evaluation.report import Report
    from attseg.evaluation.submission import Submission
    from attseg.prediction.crf import DenseCrf
    from attseg.prediction.protocol import Protocol
    from attseg.prediction.stream import Predictor

METERS = ("boundary", "sizes", "calibration")


def add_crf(parser: Parser) -> None:
    """Add ``--crf``."""
    parser.add_argument(
        "--crf", action="store_true", help="refine each prediction by a dense CRF with PSANet's parameters (slow)"
    )


def add_submission(parser: Parser) -> None:
    """Add ``--submission``."""
    parser.add_argument(
        "--submission",
        metavar="KIND",
        help="also write an archive for a server: cityscapes, voc (competition 6), voc-comp5, ade20k",
    )


def add_meters(parser: Parser) -> None:
    """Add an option for each thing that can be measured beside mIoU."""
    group = parser.add_argument_group("more to measure", "docs/evaluation.md defines each.")
    group.add_argument(
        "--boundary", action="store_true", help="boundary IoU, mIoU around boundaries, F-score of contours"
    )
    group.add_argument("--sizes", action="store_true", help="IoU of regions by their area")
    group.add_argument("--calibration", action="store_true", help="whether probabilities mean what they say")
    group.add_argument("--interval", action="store_true", help="mIoU with its 95 %% interval over pictures")
    group.add_argument(
        "--block", type=int, metavar="N", help="frames of a video: draw N that follow each other together for intervals"
    )
    group.add_argument("--against", metavar="RUN", help="compare with another run, class by class")


def crf_of(arguments: Namespace) -> DenseCrf | None:
    """The CRF, if it was asked for.

    Raises:
        UsageError: Its package is not installed.
    """
    if not arguments.crf:
        return None
    from attseg.prediction.crf import DenseCrf, check_installed

    check_installed()
    return DenseCrf()


def meters_of(arguments: Namespace, classes: ClassTable) -> list[Meter]:
    """The meters that were asked for."""
    from attseg.evaluation.boundary import BoundaryMeter
    from attseg.evaluation.calibration import CalibrationMeter
    from attseg.evaluation.sizes import SizeMeter

    makers: dict[str, Any] = {
        "boundary": lambda: BoundaryMeter(classes),
        "sizes": lambda: SizeMeter(classes),
        "calibration": CalibrationMeter,
    }
    return [makers[name]() for name in METERS if getattr(arguments, name)]


@dataclass(frozen=True, eq=False)
class Task:
    """What is measured, of whichever model.

    Args:
        spec: Which data set.
        data: Its split.
        machine: Where.
        protocol: How pictures are seen.
        memory: MiB for a batch of views.
        meters: What to count beside the confusion matrix.
        crf: What refines predictions.
        resume: Whether to go on with what was begun.
    """

    spec: DataSpec
    data: SegmentationData
    machine: Machine
    protocol: Protocol
    memory: int | None
    meters: list[Meter]
    crf: DenseCrf | None
    resume: bool

    def about(self, file: Path) -> dict[str, Any]:
        """All that decides the counts; what nobody asked for is null."""
        from attseg.evaluation.identity import describe_classes
        from attseg.files import digest_file

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


@dataclass(frozen=True, eq=False)
class Measured:
    """One model, measured.

    Args:
        report: What was found.
        kept: Where the counts of each picture are, if they are kept.
        watch: What was seen on the way.
        predictor: What sees a picture once more.
        crf: What refines its prediction.
    """

    report: Report
    kept: KeptCounts | None
    watch: Watch
    predictor: Predictor
    crf: DenseCrf | None

    def label(self, image: Array) -> Array:
        """(H, W) The classes of a picture, seen once more."""
        if self.crf is None:
            return self.predictor.labels(image)
        return self.crf.refine(image, self.predictor.probabilities(image)).labels


def keep_counts(task: Task, file: Path, folder: Path) -> KeptCounts:
    """Where the counts of each picture are kept, with all that decides them.

    Raises:
        UsageError: There are counts of the same evaluation, which is not finished, and nobody said to go on.
    """
    from attseg.evaluation.kept import KeptCounts

    about, path = task.about(file), folder / "pictures.jsonl"
    if not task.resume and (found := KeptCounts.unfinished(path, about, len(task.data))):
        raise UsageError(
            f"{path} holds the counts of {found} of {len(task.data)} pictures of this evaluation; go on with --resume, or delete "
            "it to begin anew"
        )
    return KeptCounts(path, about, resume=task.resume)


def measure(task: Task, file: Path, folder: Path | None, submission: Submission | None = None) -> Measured:
    """Evaluate the model in a file, with bars on the way.

    Args:
        task: What to measure.
        file: The weights.
        folder: Where counts are kept.
        submission: What predictions are added to as they come.
    """
    from attseg.evaluation.evaluate import evaluate
    from attseg.inference.segmenter import load
    from attseg.prediction.stream import Predictor

    data, machine = task.data, task.machine
    segmenter = load(file, device=machine.device)
    kept = keep_counts(task, file, folder) if folder else None
    watch = Watch(data, submission)
    try:
        with watch:
            report = evaluate(
                segmenter.model,
                data,
                segmenter.preprocessing,
                protocol=task.protocol,
                crf=task.crf,
                meters=task.meters,
                device=segmenter.device,
                workers=max(machine.workers, 0),
                precision=machine.precision,
                memory=task.memory,
                kept=kept,
                on_picture=watch,
                on_views=watch.within,
            )
    except KeyboardInterrupt:
        if kept is not None:
            text = f"{len(kept.names)} of {len(data)} pictures are counted in {kept.path}; --resume goes on from there"
            print(text, file=sys.stderr)
        raise
    if kept is not None and kept.changed:
        what = f"{len(kept.changed)} of {len(data)} images or label files may have changed since they were counted"
        print(f"{what}, and were measured anew: {few(kept.changed)}", file=sys.stderr)
    predictor = Predictor(
        segmenter.model,
        len(data.classes),
        segmenter.preprocessing,
        segmenter.device,
        task.protocol,
        machine.precision,
        task.memory,
    )
    return Measured(report, kept, watch, predictor, task.crf)


def finish_submission(submission: Submission, measured: Measured, data: SegmentationData) -> Path:
    """The archive; pictures that were counted in an earlier run are predicted again."""
    for index in range(len(data)):
        if data.name(index) not in submission:
            image = data[index].image
            submission.add(data.name(index), measured.label(image), size=(image.shape[0], image.shape[1]))
    return submission.finish()


def describe_submission(submission: Submission) -> str:
    """What a submission holds, and whether a server would find it complete."""
    rules = submission.rules
    text = f"{submission.path}: {len(submission)} pictures for the server of {rules.title}, checked"
    if len(submission) != rules.pictures:
        text += f"; its test split has {rules.pictures}"
    return text


def block_of(arguments: Namespace, pictures: int) -> int:
    """How many pictures are drawn together for intervals.

    Args:
        arguments: Of the command line.
        pictures: That the split has.

    Raises:
        UsageError: It is said and no interval is asked for, or the split is too small for one.
    """
    from attseg.evaluation.bootstrap import check_drawable

    wanted = arguments.interval or arguments.against
    if arguments.block is not None and not wanted:
        raise UsageError("--block is about intervals; give --interval or --against too")
    block = 1 if arguments.block is None else arguments.block
    if wanted:
        check_drawable(pictures, block)
    return block


def interval_of(kept: KeptCounts, block: int) -> Mapping[str, Any]:
    """The interval of mIoU over pictures, as plain values."""
    from attseg.evaluation.bootstrap import DRAWS, LEVEL, miou_interval
    from attseg.evaluation.comparison import picture_parts

    found = miou_interval(picture_parts(kept), block=block)
    return found.to_dict() | {"level": LEVEL, "draws": DRAWS, "block": block}
