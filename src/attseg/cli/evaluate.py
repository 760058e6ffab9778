"""``attseg evaluate``: how good a trained model is on a split, as a table, as JSON and as pictures."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from attseg.cli.comparing import check_comparable, compare_runs, print_comparison, write_comparison
from attseg.cli.evaluate_output import print_report, write_report
from attseg.cli.measuring import (
    Task,
    add_crf,
    add_meters,
    add_submission,
    block_of,
    crf_of,
    describe_submission,
    finish_submission,
    interval_of,
    measure,
    meters_of,
)
from attseg.cli.parser import Parser
from attseg.cli.protocol import add_protocol, protocol_of
from attseg.cli.run_data import check_classes, data_spec, data_tag, own_root, read_about, recipe_of, root_of, section
from attseg.errors import UsageError
from attseg.recipes.recipe import DataSpec, Machine, Recipe
from attseg.recipes.values import from_values, settings

if TYPE_CHECKING:
    from attseg.checkpoint import Weights
    from attseg.data.classes import ClassTable
    from attseg.data.sample import SegmentationData
    from attseg.evaluation.submission import Submission
    from attseg.inference.exported.description import Description
    from attseg.prediction.protocol import Protocol

TEXT = """\
Measure a trained model on a split: every picture counts once, in one confusion matrix. The data set is the one of
the run, unless you name another one with the same classes.

A run folder gets report.json, confusion.png and samples.png in its folder `evaluation` (`evaluation-NAME` for a
protocol, split, data set or root other than the run's own), and pictures.jsonl with the counts of each picture. They are kept as
they come: after a break, or when a broken picture is mended, the same command with --resume goes on from there."""

EXAMPLES = (
    "attseg evaluate runs/pan-scenes",
    "attseg evaluate runs/pan-camvid --split test --json > test.json",
    "attseg evaluate runs/pan-camvid --protocol pan-multiscale",
    "attseg evaluate runs/aerial --window 512 --stride 0.5 --flip",
    "attseg evaluate best.safetensors --data.name camvid --data.root ~/data/camvid --out evaluation",
    "attseg evaluate runs/pan-camvid --boundary --sizes --calibration --interval",
    "attseg evaluate runs/pan-camvid --against runs/fcn-camvid --block 10",
    "attseg evaluate demo",
)

PICTURES = ("confusion", "samples", "trimap", "reliability", "comparison")
WRITTEN = ("report.json", "comparison.json", *(f"{name}.png" for name in PICTURES))
"""What may be written, beside pictures.jsonl, which begins with a line that says what it is."""

MACHINE = ("device", "precision", "workers")


def run(argv: Sequence[str]) -> int:
    """Evaluate, print, and write the files."""
    parser = Parser("evaluate", TEXT, EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="a run folder, a .safetensors or exported file, or demo")
    parser.add_argument("--split", help="which split (default: the one that the run validated on)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the files go (default: RUN/evaluation)")
    parser.add_argument("--overwrite", action="store_true", help="replace files that attseg did not write")
    parser.add_argument("--resume", action="store_true", help="go on with an evaluation that was not finished")
    add_submission(parser)
    add_protocol(parser)
    add_crf(parser)
    add_meters(parser)
    parser.add_settings(
        "data", (setting for setting in settings(DataSpec, "data") if setting.key not in ("data.train", "data.val"))
    )
    parser.add_settings(
        "machine", (s for s in settings(Machine, "machine") if s.key.removeprefix("machine.") in MACHINE)
    )
    return _evaluate(parser.parse(argv))


def _evaluate(arguments: Namespace) -> int:
    from attseg.data.catalog import open_data
    from attseg.data.sample import DataError
    from attseg.hub.sources import find_weights
    from attseg.written import outputs

    file = find_weights(arguments.run)
    weights = read_about(file)
    recipe = recipe_of(weights.info)
    spec = data_spec(arguments, file, recipe)
    machine = from_values(Machine, section(arguments.given, "machine"), "machine")
    protocol = protocol_of(arguments, spec.name)
    other = find_weights(arguments.against) if arguments.against else None
    if other:
        named = "data.name" in arguments.given
        check_comparable(weights, arguments.run, read_about(other), arguments.against, data_named=named)
    crf = crf_of(arguments)
    data = open_data(spec.name, arguments.split or spec.val, root=spec.root, **spec.options)
    block = block_of(arguments, len(data))
    check_classes(weights.classes, data.classes, arguments.run)
    apart = _apart(file, recipe, spec, data.split, protocol, arguments.crf)
    out = arguments.out or _usual_place(arguments, file, apart)
    _check_place(out, file, apart)
    submission = _submission(arguments, out, data.classes)
    meters = meters_of(arguments, data.classes)
    task = Task(spec, data, machine, protocol, arguments.memory, meters, crf, arguments.resume)
    places = [] if out is None else [out / name for name in WRITTEN]
    if submission is not None:
        places.append(submission.path)
    own = arguments.overwrite or arguments.out is None  # the folder of a run is ours
    with TemporaryDirectory(prefix="attseg-") as scratch, outputs(*places, overwrite=own):
        folder = out or (Path(scratch) if arguments.interval or other else None)
        measured = measure(task, file, folder, submission)
        if not measured.report.counts.any():
            raise DataError(
                f"no pixel of the split {data.split!r} counts: its label files hold ignored values only, so there is no mIoU. "
                "Count their values with `attseg data check`"
            )
        values = measured.report.to_dict() | _origin(recipe, weights, spec, data, file)
        values["crf"] = crf and crf.to_dict()
        if arguments.interval and measured.kept:
            values["interval"] = interval_of(measured.kept, block)
        comparison = None
        if other and folder:
            comparison, second = compare_runs(task, measured, other, folder, block)
            values["against"] = {"run": arguments.against, **comparison.to_dict()}
        if arguments.json:
            print(json.dumps(values, indent=2))
        else:
            print_report(measured.report, values)
            if comparison:
                print_comparison(comparison, arguments)
        if out:
            written = write_report(out, measured.report, values, measured.watch.samples(measured.label))
            if comparison:
                names = (arguments.run, arguments.against)
                write_comparison(comparison, task, (measured, second), names, out)
                written += ["comparison.json", "comparison.png"]
            if not arguments.json:
                print(f"\n{', '.join(written[:-1])} and {written[-1]} are in {out}")
            if _is_other_data(file, recipe, spec):
                note = f"measured on {_place_of(spec)}, not on the data of the run: kept apart from its own report"
                print(note, file=sys.stderr if arguments.json else sys.stdout)
        if submission is not None:
            finish_submission(submission, measured, data)
            print(describe_submission(submission), file=sys.stderr if arguments.json else sys.stdout)
    return 0


def _submission(arguments: Namespace, out: Path | None, classes: ClassTable) -> Submission | None:
    if arguments.submission is None:
        return None
    if out is None:
        raise UsageError("--submission writes an archive; say with --out where to")
    from attseg.evaluation.submission import Submission

    return Submission(arguments.submission, out / f"submission-{arguments.submission}", classes)


def _usual_place(arguments: Namespace, file: Path, apart: list[str]) -> Path | None:
    """A folder in the run folder, if there is one: ``evaluation``, and behind it what is not the run's own."""
    if not Path(arguments.run).is_dir():
        if arguments.resume:
            raise UsageError("--resume goes on from what a folder holds; say which with --out")
        return None
    return file.parent / "-".join(["evaluation", *apart])


def _apart(file: Path, recipe: Recipe | None, spec: DataSpec, split: str, protocol: Protocol, crf: bool) -> list[str]:
    """What makes an evaluation another one than the run's own, as parts of the name of a folder; nothing where it is that."""
    own = spec.val if recipe is None else recipe.data.val
    parts = [data_tag(spec)] if _is_other_data(file, recipe, spec) else []
    parts += [split] * (split != own)
    return parts + [protocol.name.replace(", ", "-")] * (protocol.name != "single") + ["crf"] * crf


def _is_other_data(file: Path, recipe: Recipe | None, spec: DataSpec) -> bool:
    """Whether a data set is not the one that the run evaluated on: another name, root or options."""
    if recipe is None:
        return False
    return (spec.name, spec.options) != (recipe.data.name, recipe.data.options) or root_of(spec.root) != own_root(
        file, recipe.data.root
    )


def _place_of(spec: DataSpec) -> str:
    return f"{spec.name} with other options" if spec.root is None else f"{spec.name} in {spec.root}"


def _check_place(out: Path | None, file: Path, apart: list[str]) -> None:
    """Refuse to write over the report of a run.

    Raises:
        UsageError: The folder is a run folder, or that of the run's own evaluation while this is another one.
    """
    if out is None:
        return
    if (out / "recipe.yaml").exists() or (out / "best.safetensors").exists():
        raise UsageError(
            f"{out} is a run folder, whose report.json is that of its training; choose another folder (--out)"
        )
    if apart and out.resolve() == (file.parent / "evaluation").resolve():
        raise UsageError(
            f"{out} is for the run's own data, split and protocol, and this evaluation is another one ({', '.join(apart)}); "
            "choose another folder (--out), or leave out --out"
        )


def _origin(
    recipe: Recipe | None, weights: Weights | Description, spec: DataSpec, data: SegmentationData, file: Path
) -> dict[str, Any]:
    """What a reader of the numbers needs to get them again."""
    from attseg.evaluation.identity import describe_data

    return {
        "recipe": recipe and recipe.name,
        "seed": recipe and recipe.seed,
        "step": weights.info.get("step"),
        **describe_data(spec.name, spec.root, spec.options, data),
        "weights": str(file),
    }
