"""The evaluation of a run: on which data, beside which other run, what is measured, and the files that hold it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from typing import Protocol as Structure

from attseg.checkpoint import trained_on
from attseg.data.catalog import open_data
from attseg.data.classes import ClassTable
from attseg.data.splitting import SPLIT_FILE
from attseg.errors import UsageError
from attseg.evaluation import run_data
from attseg.evaluation.comparison import Comparison, compare, picture_parts
from attseg.evaluation.identity import describe_data
from attseg.evaluation.job import METERS, MeasuredModel, Task, block_of, describe_submission, interval_of
from attseg.evaluation.report import Report, check_excluded
from attseg.evaluation.submission import Submission
from attseg.evaluation.worst import check_worst, picture_means, write_worst
from attseg.evaluation.written import WRITTEN, write_comparison, write_report
from attseg.prediction.crf import find_crf
from attseg.prediction.protocol import Protocol
from attseg.recipes.nested import Values, section
from attseg.recipes.recipe import Machine
from attseg.recipes.values import from_values
from attseg.text import listed
from attseg.written import outputs


class About(Structure):
    """What a file of weights or an exported file says about itself."""

    @property
    def info(self) -> Mapping[str, Any]:
        """Where it comes from."""
        ...

    @property
    def classes(self) -> ClassTable:
        """Names of the classes."""
        ...


@dataclass(frozen=True)
class NamedWeights:
    """A run, or a file of weights.

    Args:
        name: As the user names it.
        file: The weights.
        about: What they say about themselves.
    """

    name: str
    file: Path
    about: About


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of an evaluation, beside the run.

    Args:
        given: Settings below ``data`` and ``machine``, by dotted key.
        find_protocol: Gives the protocol, whose sizes may depend on the data set.
        memory: MiB for a batch of views.
        split: The split; None for the one that the run validated on.
        out: Folder for the files; None for one in the run folder.
        overwrite: Whether files of others are replaced.
        resume: Whether to go on with an evaluation that was not finished.
        submission: Kind of an archive for a server.
        crf: Whether predictions are refined.
        meters: Names of ``METERS`` that are measured too.
        interval: Whether mIoU gets an interval.
        block: Pictures that are drawn together for intervals.
        per_picture: Whether means over pictures are wanted.
        exclude: Classes that a further mean leaves out.
        worst: Pictures on a sheet of the worst.
    """

    given: Values
    find_protocol: Callable[[str], Protocol]
    memory: int | None = None
    split: str | None = None
    out: Path | None = None
    overwrite: bool = False
    resume: bool = False
    submission: str | None = None
    crf: bool = False
    meters: Sequence[str] = ()
    interval: bool = False
    block: int | None = None
    per_picture: bool = False
    exclude: tuple[str, ...] = ()
    worst: int | None = None


@dataclass(frozen=True)
class Evaluated:
    """An evaluation that is done.

    Args:
        values: The report as plain values.
        remarks: What was written where, and what is to be known about it.
    """

    values: Values
    remarks: Sequence[str]


Measure = Callable[[Task, Path, Path | None, Submission | None], MeasuredModel]
"""Measures the weights in a file; counts are kept in the folder, and predictions are added to the archive, if there are any."""

Show = Callable[[Report, Values, Comparison | None], None]
"""Called with what was measured, before it is written."""


def evaluate_run(
    run: NamedWeights,
    asked: Asked,
    *,
    against: NamedWeights | None = None,
    measure: Measure,
    show: Show,
    tell: Callable[[str], None],
) -> Evaluated:
    """Measure a run, and another one beside it if it is named, and write the files of the evaluation.

    Raises:
        UsageError: Something that was asked for does not go together, or files are in the way; told before anything is measured.
        DataError: As ``attseg.evaluation.job.measure``.
    """
    about, file = run.about, run.file
    recipe = run_data.recipe_of(about.info)
    spec = run_data.data_spec(asked.given, recipe, file)
    protocol = asked.find_protocol(spec.name)
    if against:
        trained = trained_on(about.info), trained_on(against.about.info)
        tables = about.classes, against.about.classes
        run_data.check_comparable((run.name, against.name), tables, trained, named="data.name" in asked.given)
    crf = find_crf() if asked.crf else None
    kept = run_data.kept_spec(spec, asked.given, file)
    if run_data.is_divided_anew(spec, kept):
        tell(f"no {SPLIT_FILE} of a run is used: the pictures of {spec.root} are divided anew by its options")
    data = open_data(spec.name, asked.split or spec.val, root=spec.root, **kept.options)
    block = block_of(asked.block, len(data), wanted=asked.interval or against is not None)
    run_data.check_classes(about.classes, data.classes, run.name)
    check_excluded(asked.exclude, data.classes)
    check_worst(asked.worst)
    apart = run_data.apart_of(file, recipe, spec, data.split, protocol, asked.crf)
    place = run_data.place_of(run.name, asked.out, file, apart, resume=asked.resume)
    for option, wanted, what in (
        ("--worst", asked.worst, "a sheet and a table"),
        ("--submission", asked.submission, "an archive"),
    ):
        if wanted and place is None:
            raise UsageError(f"{option} writes {what}; say with --out where to")
    archive, places = None, []
    if place:
        places = [place / name for name in WRITTEN]
        if asked.submission:
            archive = Submission(asked.submission, place / f"submission-{asked.submission}", data.classes)
            places.append(archive.path)
    task = Task(
        spec=spec,
        data=data,
        machine=from_values(Machine, section(asked.given, "machine"), "machine"),
        protocol=protocol,
        memory=asked.memory,
        meters=[METERS[name](data.classes) for name in asked.meters],
        crf=crf,
    )
    remarks = []
    # the folder of a run is ours
    overwrite = asked.overwrite or asked.out is None
    with TemporaryDirectory(prefix="attseg-") as scratch, outputs(*places, overwrite=overwrite):
        folder = place or (Path(scratch) if asked.interval or asked.per_picture or against else None)
        measured = measure(task, file, folder, archive)
        measured = replace(measured, report=replace(measured.report, excluded=asked.exclude))
        values: Values = measured.report.to_dict() | {
            "recipe": recipe and recipe.name,
            "seed": recipe and recipe.seed,
            "step": about.info.get("step"),
            **describe_data(spec.name, spec.root, spec.options, data),
            "weights": str(file),
            "crf": crf and crf.to_dict(),
        }
        if asked.interval and measured.kept:
            values["interval"] = interval_of(measured.kept, block)
        if asked.per_picture and measured.kept:
            values["per_picture"] = picture_means(picture_parts(measured.kept), data.classes.names)
        compared = None
        if against and folder:
            second = measure(task, against.file, folder / "against", None)
            assert measured.kept and second.kept  # a comparison keeps its counts
            compared = compare(data.classes.names, measured.kept, second.kept, block=block)
            values["against"] = {"run": against.name, **compared.to_dict()}
        show(measured.report, values, compared)
        if place:
            written = write_report(place, measured, values)
            if asked.worst:
                written += write_worst(place, measured, asked.worst)
            if compared and against:
                written += write_comparison(compared, (measured, second), (run.name, against.name), place)
            remarks.append(f"\n{listed(written)} are in {place}")
            if run_data.is_other_data(file, recipe, spec):
                which = f"{spec.name} with other options" if spec.root is None else f"{spec.name} in {spec.root}"
                remarks.append(f"measured on {which}, not on the data of the run: kept apart from the run's own report")
        if archive is not None:
            measured.finish(archive)
            remarks.append(describe_submission(archive))
    return Evaluated(values, remarks)
