"""``attseg evaluate``: how good a trained model is on a split, as a table, as JSON and as images."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from json import dumps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from attseg.cli.options import Crf, Json, Kind, Names, Overwrite, ProtocolOptions, RunName, Views, Whole, data_settings
from attseg.cli.output import print_parts, progress_bar
from attseg.cli.settings import with_settings
from attseg.errors import UsageError
from attseg.recipes.nested import section
from attseg.recipes.recipe import Machine
from attseg.recipes.values import from_values, settings

if TYPE_CHECKING:
    from attseg.evaluation.job import MeasuredModel, Task
    from attseg.evaluation.submission import Submission

MACHINE = ("machine.device", "machine.precision", "machine.workers")


@dataclass(frozen=True, kw_only=True)
class MoreOptions:
    """Measurements beside mIoU.

    Args:
        boundary: Boundary IoU, mIoU around boundaries, F-score of contours.
        sizes: IoU of regions by their area.
        calibration: Whether probabilities match accuracy: expected calibration error and a reliability diagram.
        interval: mIoU with its 95 % interval over images.
        block: For frames of a video: draw N consecutive ones together for intervals.
        against: Another run to compare with, class by class.
        per_picture: Means over pictures of the scores of each by itself.
        exclude: Classes to leave out of a further mIoU, such as background.
        worst: Show the N worst pictures first: worst.png (picture, labels, prediction, errors) and worst.csv.
    """

    boundary: bool = False
    sizes: bool = False
    calibration: bool = False
    interval: bool = False
    block: Whole = None
    against: Annotated[str | None, Parameter(metavar="RUN")] = None
    per_picture: bool = False
    exclude: Names = ()
    worst: Whole = None


MORE = Group("More to measure", help="docs/use/evaluation.md defines each.", sort_key=6)


@with_settings(
    ("Settings of the data", data_settings()),
    ("Settings of the machine", (setting for setting in settings(Machine, "machine") if setting.key in MACHINE)),
)
def run(
    run: RunName,
    /,
    *runs: Annotated[str, Parameter(help="More runs, such as the folds of a cross-validation.")],
    split: str | None = None,
    json: Json = False,
    out: Path | None = None,
    overwrite: Overwrite = False,
    resume: bool = False,
    submission: Kind = None,
    crf: Crf = False,
    views: Views = ProtocolOptions(),
    more: Annotated[MoreOptions, Parameter(name="*", group=MORE)] = MoreOptions(),
    given: dict[str, Any],
) -> int:
    """Measure a trained model on a split: each image counts once, in one confusion matrix.

    The data set is the one of the run, unless you name another one with the same classes.

    A run folder gets report.json, classes.csv, confusion.csv, confusion.png and samples.png in its folder evaluation
    (evaluation-NAME for a protocol, split, data set or root other than the run's own), and pictures.jsonl with the counts of each
    image. Counts are kept as they come: after a break, or when a broken image is mended, the same command with --resume
    continues.

    Several runs, such as folds, are measured one by one, each on its own split, and give one table: IoU of each, mean and
    standard deviation.

    Args:
        split: Split to measure on (default: the one that the run validated on).
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
    settings = _Asked(split, out, submission, views, more, given, overwrite=overwrite, resume=resume, crf=crf)
    if not runs:
        _evaluate(run, settings, "json" if json else "tables")
        return 0
    from attseg.evaluation.folds import folds_parts, summarise_runs
    from attseg.hub.sources import find_weights

    for option, value in (("--out", out), ("--submission", submission), ("--against", more.against)):
        if value is not None:
            raise UsageError(f"{option} is for one run, and {1 + len(runs)} were given; leave it out, or give one run")
    names = list(dict.fromkeys((run, *runs)))
    for name in names:
        find_weights(name)  # a wrong name is told before the first is measured
    reports = {name: _evaluate(name, settings, "line") for name in names}
    folds = summarise_runs(reports)
    if json:
        print(dumps({"folds": folds.to_dict(), "reports": reports}, indent=2))
    else:
        print_parts(folds_parts(folds))
    return 0


@dataclass(frozen=True)
class _Asked:
    """Arguments of the command line that hold for every run."""

    split: str | None
    out: Path | None
    submission: str | None
    views: ProtocolOptions
    more: MoreOptions
    given: dict[str, Any]
    overwrite: bool
    resume: bool
    crf: bool


def _evaluate(run: str, asked: _Asked, shown: Literal["tables", "json", "line"]) -> dict[str, Any]:
    """Measure one run, write its files, print what is asked for, and return its report."""
    split, out, submission, more = asked.split, asked.out, asked.submission, asked.more
    given, overwrite, resume, crf = asked.given, asked.overwrite, asked.resume, asked.crf

    from attseg.checkpoint import trained_on
    from attseg.data.catalog import open_data
    from attseg.data.splitting import SPLIT_FILE
    from attseg.evaluation import run_data
    from attseg.evaluation.comparison import compare, picture_parts
    from attseg.evaluation.identity import describe_data
    from attseg.evaluation.job import METERS, Task, block_of, describe_submission, interval_of
    from attseg.evaluation.report import check_excluded
    from attseg.evaluation.shown import comparison_parts, report_parts
    from attseg.evaluation.submission import Submission
    from attseg.evaluation.worst import check_worst, picture_means, write_worst
    from attseg.evaluation.written import WRITTEN, write_comparison, write_report
    from attseg.hub.sources import find_weights
    from attseg.inference.segmenter import read_about
    from attseg.prediction.crf import find_crf
    from attseg.written import outputs

    file = find_weights(run)
    weights = read_about(file)
    recipe = run_data.recipe_of(weights.info)
    spec = run_data.data_spec(given, recipe, file)
    machine = from_values(Machine, section(given, "machine"), "machine")
    protocol = asked.views.find(spec.name)
    other = find_weights(more.against) if more.against else None
    if other and more.against:
        second = read_about(other)
        trained = trained_on(weights.info), trained_on(second.info)
        tables = weights.classes, second.classes
        run_data.check_comparable((run, more.against), tables, trained, named="data.name" in given)
    refine = find_crf() if crf else None
    kept = run_data.kept_spec(spec, given, file)
    if run_data.is_divided_anew(spec, kept):
        print(
            f"no {SPLIT_FILE} of a run is used: the pictures of {spec.root} are divided anew by its options",
            file=sys.stderr,
        )
    data = open_data(spec.name, split or spec.val, root=spec.root, **kept.options)
    block = block_of(more.block, len(data), wanted=more.interval or other is not None)
    run_data.check_classes(weights.classes, data.classes, run)
    check_excluded(more.exclude, data.classes)
    check_worst(more.worst)
    place = run_data.place_of(
        run, out, file, run_data.apart_of(file, recipe, spec, data.split, protocol, crf), resume=resume
    )
    if more.worst and place is None:
        raise UsageError("--worst writes a sheet and a table; say with --out where to")
    if submission and place is None:
        raise UsageError("--submission writes an archive; say with --out where to")
    archive = Submission(submission, place / f"submission-{submission}", data.classes) if submission and place else None
    meters = [METERS[name](data.classes) for name in METERS if getattr(more, name)]
    task = Task(
        spec=spec, data=data, machine=machine, protocol=protocol, memory=asked.views.memory, meters=meters, crf=refine
    )
    places = [*([place / name for name in WRITTEN] if place else []), *([archive.path] if archive is not None else [])]
    # the folder of a run is ours
    with TemporaryDirectory(prefix="attseg-") as scratch, outputs(*places, overwrite=overwrite or out is None):
        folder = place or (Path(scratch) if more.interval or more.per_picture or other else None)
        measured = _measure(task, file, folder, archive, resume=resume)
        measured = replace(measured, report=replace(measured.report, excluded=more.exclude))
        values: dict[str, Any] = measured.report.to_dict() | {
            "recipe": recipe and recipe.name,
            "seed": recipe and recipe.seed,
            "step": weights.info.get("step"),
            **describe_data(spec.name, spec.root, spec.options, data),
            "weights": str(file),
            "crf": refine and refine.to_dict(),
        }
        if more.interval and measured.kept:
            values["interval"] = interval_of(measured.kept, block)
        if more.per_picture and measured.kept:
            values["per_picture"] = picture_means(picture_parts(measured.kept), data.classes.names)
        compared = None
        if other and more.against and folder:
            against = _measure(task, other, folder / "against", resume=resume)
            assert measured.kept and against.kept  # a comparison keeps its counts
            compared = compare(data.classes.names, measured.kept, against.kept, block=block)
            values["against"] = {"run": more.against, **compared.to_dict()}
        if shown == "line":
            print(f"{run}: mIoU {100 * measured.report.miou:.2f} % on {len(data)} pictures", file=sys.stderr)
        elif shown == "json":
            print(dumps(values, indent=2))
        else:
            print_parts(report_parts(measured.report, values))
            if compared and more.against:
                print_parts(comparison_parts(compared, (run, more.against)))
        beside = sys.stdout if shown == "tables" else sys.stderr
        if place:
            written = write_report(place, measured, values)
            if more.worst:
                written += write_worst(place, measured, more.worst)
            if compared and more.against:
                written += write_comparison(compared, (measured, against), (run, more.against), place)
            if shown == "tables":
                print(f"\n{', '.join(written[:-1])} and {written[-1]} are in {place}")
            if run_data.is_other_data(file, recipe, spec):
                which = f"{spec.name} with other options" if spec.root is None else f"{spec.name} in {spec.root}"
                print(f"measured on {which}, not on the data of the run: kept apart from its own report", file=beside)
        if archive is not None:
            measured.finish(archive)
            print(describe_submission(archive), file=beside)
    return values


def _measure(
    task: Task, file: Path, folder: Path | None, archive: Submission | None = None, *, resume: bool
) -> MeasuredModel:
    """Measure the model in a file, with bars on the way."""
    from attseg.evaluation.job import measure
    from attseg.inference.segmenter import load

    segmenter = load(file, device=task.machine.device)
    kept = task.keep_counts(file, folder, resume=resume) if folder else None
    with progress_bar() as bar:
        pictures = bar.add_task("evaluating", total=len(task.data))
        views = bar.add_task("windows", visible=False)
        return measure(
            task,
            segmenter,
            kept=kept,
            submission=archive,
            on_picture=lambda done: bar.update(pictures, completed=done),
            on_views=lambda done, total: bar.update(views, completed=done, total=total, visible=done < total),
            tell=lambda text: print(text, file=sys.stderr),
        )
