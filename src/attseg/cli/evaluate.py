"""``attseg evaluate``: how good a trained model is on a split, as a table, as JSON and as images."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from attseg.cli import options
from attseg.cli.output import print_parts, print_result, tell
from attseg.cli.settings import with_settings
from attseg.console import progress
from attseg.errors import UsageError
from attseg.recipes.recipe import Machine
from attseg.recipes.values import settings

if TYPE_CHECKING:
    from attseg.evaluation.comparison import Comparison
    from attseg.evaluation.job import MeasuredModel, Task
    from attseg.evaluation.of_run import Asked, NamedWeights
    from attseg.evaluation.report import Report
    from attseg.evaluation.submission import Submission

MACHINE = ("machine.device", "machine.precision", "machine.workers")


@options.unwrapped
@dataclass(frozen=True, kw_only=True)
class MoreOptions:
    """Measurements beside mIoU.

    Args:
        boundary: Boundary IoU, mIoU near boundaries, and F-score of contours.
        sizes: IoU of regions by their area.
        calibration: How well probabilities match accuracy: expected calibration error and a reliability diagram.
        interval: 95 % confidence interval of mIoU, by bootstrap over images.
        block: For frames of a video: resample blocks of N consecutive images for intervals.
        against: Another run to compare with, class by class.
        per_picture: Mean over images of the scores of each image.
        exclude: Classes to leave out of a second mIoU, such as background.
        worst: Write the N images with the lowest mIoU to worst.png (image, labels, prediction, errors), and all to worst.csv.
    """

    boundary: bool = False
    sizes: bool = False
    calibration: bool = False
    interval: bool = False
    block: options.Whole = None
    against: Annotated[str | None, Parameter(metavar="RUN")] = None
    per_picture: bool = False
    exclude: options.Names = ()
    worst: options.Whole = None


MORE = Group("More to measure", help="docs/use/evaluation.md defines each.", sort_key=6)


@with_settings(
    ("Settings of the data", options.data_settings()),
    ("Settings of the machine", (setting for setting in settings(Machine, "machine") if setting.key in MACHINE)),
)
def run(
    run: options.RunName,
    /,
    *runs: Annotated[str, Parameter(help="More runs, such as the folds of a cross-validation.")],
    split: options.Split = None,
    json: options.Json = False,
    out: options.Folder = None,
    overwrite: options.Overwrite = False,
    resume: bool = False,
    submission: options.Kind = None,
    crf: options.Crf = False,
    views: options.Views = options.ProtocolOptions(),
    more: Annotated[MoreOptions, Parameter(name="*", group=MORE)] = MoreOptions(),
    given: dict[str, Any],
) -> int:
    """Evaluate a trained model on a split: mIoU and more from one confusion matrix over all images.

    The data set is that of the run, unless you name another one with the same classes.

    A run folder gets report.json, classes.csv, confusion.csv, confusion.png and samples.png in its subfolder evaluation, or in
    evaluation-NAME if the protocol, split or data are not the run's own. Counts of each image are kept in pictures.jsonl: after
    an interruption, or once a broken image is repaired, the same command with --resume continues.

    Several runs, such as the folds of a cross-validation, are evaluated one by one, each on its own split; one table shows the
    IoU of each, their mean and standard deviation.

    Args:
        out: Folder for the files (default: RUN/evaluation).
        resume: Continue an evaluation that was not finished.

    Examples:
        attseg evaluate runs/pan-scenes
        attseg evaluate runs/pan-camvid --split test --json > test.json
        attseg evaluate runs/pan-camvid --protocol pan-multiscale
        attseg evaluate runs/aerial --window 512 --stride 0.5 --flip
        attseg evaluate best.safetensors --data.name camvid --data.root ~/data/camvid --out evaluation
        attseg evaluate runs/pan-camvid --boundary --sizes --calibration --interval
        attseg evaluate runs/pan-camvid --against runs/fcn-camvid --block 10
        attseg evaluate runs/fold-1 runs/fold-2 runs/fold-3
        attseg evaluate runs/pan-camvid --exclude background --per-picture --worst 20
        attseg evaluate demo
    """
    for option, value in (("--out", out), ("--submission", submission), ("--against", more.against)):
        if runs and value is not None:
            raise UsageError(f"{option} is for one run, and {1 + len(runs)} were given; leave it out, or give one run")

    from attseg.evaluation.folds import folds_parts, summarise_runs
    from attseg.evaluation.job import METERS
    from attseg.evaluation.of_run import Asked, NamedWeights
    from attseg.hub.sources import find_weights
    from attseg.inference.segmenter import read_about

    others = {name: value for name, value in vars(more).items() if name not in METERS and name != "against"}
    asked = Asked(
        given=given,
        find_protocol=views.find,
        memory=views.memory,
        split=split,
        out=out,
        overwrite=overwrite,
        resume=resume,
        submission=submission,
        crf=crf,
        meters=[name for name in METERS if getattr(more, name)],
        **others,
    )
    files = {
        name: find_weights(name) for name in [run, *runs, *filter(None, [more.against])]
    }  # a wrong name is told first

    def named(name: str) -> NamedWeights:
        return NamedWeights(name, files[name], read_about(files[name]))

    if not runs:
        against = named(more.against) if more.against else None
        _evaluate(named(run), asked, against, "json" if json else "tables")
        return 0
    reports = {name: _evaluate(named(name), asked, None, "line") for name in files}
    folds = summarise_runs(reports)
    print_result({"folds": folds.to_dict(), "reports": reports}, folds_parts(folds), json=json)
    return 0


def _evaluate(
    run: NamedWeights, asked: Asked, against: NamedWeights | None, shown: Literal["tables", "json", "line"]
) -> dict[str, Any]:
    """Measure a run with bars on the way, print what is asked for, and return the report."""
    from attseg.evaluation.job import measure as measure_task
    from attseg.evaluation.of_run import evaluate_run
    from attseg.evaluation.shown import comparison_parts, report_parts
    from attseg.inference.segmenter import load

    def measure(task: Task, file: Path, folder: Path | None, archive: Submission | None) -> MeasuredModel:
        segmenter = load(file, device=task.machine.device)
        kept = task.keep_counts(file, folder, resume=asked.resume) if folder else None
        with progress("evaluating", total=len(task.data)) as bar:
            return measure_task(
                task,
                segmenter,
                kept=kept,
                submission=archive,
                on_picture=lambda done: bar(done, len(task.data)),
                on_views=bar.within("windows"),
                tell=tell,
            )

    def show(report: Report, values: dict[str, Any], compared: Comparison | None) -> None:
        if shown == "line":
            tell(f"{run.name}: mIoU {100 * report.miou:.2f} % on {report.pictures} pictures")
            return
        print_result(values, report_parts(report, values), json=shown == "json")
        if compared and against and shown == "tables":
            print_parts(comparison_parts(compared, (run.name, against.name)))

    done = evaluate_run(run, asked, against=against, measure=measure, show=show, tell=tell)
    for remark in done.remarks:
        print(remark, file=sys.stdout if shown == "tables" else sys.stderr)
    return done.values
