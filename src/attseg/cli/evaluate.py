"""``attseg evaluate``: how good a trained model is on a split, as a table, as JSON and as pictures."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.cli.evaluate_output import Watch, print_report, write_report
from attseg.cli.parser import Parser, put
from attseg.cli.protocol import add_protocol, protocol_of
from attseg.errors import UsageError
from attseg.recipes.recipe import DataSpec, Machine, Recipe
from attseg.recipes.values import from_values, settings, to_values

if TYPE_CHECKING:
    from attseg.checkpoint import Weights
    from attseg.data.classes import ClassTable
    from attseg.data.sample import SegmentationData
    from attseg.evaluation.kept import KeptCounts
    from attseg.prediction.protocol import Protocol

TEXT = """\
Measure a trained model on a split: every picture counts once, in one confusion matrix. The data set is the one of
the run, unless you name another one with the same classes.

A run folder gets report.json, confusion.png and samples.png in its folder `evaluation` (`evaluation-NAME` for a
protocol or split other than the usual one), and pictures.jsonl with the counts of each picture. They are kept as
they come: after a break, or when a broken picture is mended, the same command with --resume goes on from there."""

EXAMPLES = (
    "attseg evaluate runs/pan-scenes",
    "attseg evaluate runs/pan-camvid --split test --json > test.json",
    "attseg evaluate runs/pan-camvid --protocol pan-multiscale",
    "attseg evaluate runs/aerial --window 512 --stride 0.5 --flip",
    "attseg evaluate best.safetensors --data.name camvid --data.root ~/data/camvid --out evaluation",
    "attseg evaluate demo",
)

MACHINE = ("device", "precision", "workers")


def run(argv: Sequence[str]) -> int:
    """Evaluate, print, and write the files."""
    parser = Parser("evaluate", TEXT, EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="a run folder, a .safetensors file, or demo")
    parser.add_argument("--split", help="which split (default: the one that the run validated on)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the files go (default: RUN/evaluation)")
    parser.add_argument("--resume", action="store_true", help="go on with an evaluation that was not finished")
    add_protocol(parser)
    parser.add_settings(
        "data", (setting for setting in settings(DataSpec, "data") if setting.key not in ("data.train", "data.val"))
    )
    parser.add_settings(
        "machine", (s for s in settings(Machine, "machine") if s.key.removeprefix("machine.") in MACHINE)
    )
    return _evaluate(parser.parse(argv))


def _evaluate(arguments: Namespace) -> int:
    from attseg.checkpoint import read_weights
    from attseg.data.catalog import open_data
    from attseg.evaluation.evaluate import evaluate
    from attseg.inference.segmenter import load
    from attseg.inference.sources import find_weights
    from attseg.prediction.stream import Predictor

    file = find_weights(arguments.run)
    weights = read_weights(file)
    recipe = _recipe(weights)
    spec = _data_spec(arguments, file, recipe)
    machine = from_values(Machine, _section(arguments.given, "machine"), "machine")
    protocol = protocol_of(arguments, spec.name)
    data = open_data(spec.name, arguments.split or spec.val, root=spec.root, **spec.options)
    _check_classes(weights.classes, data.classes, arguments.run)
    origin = _origin(recipe, weights, spec, data, file)
    out = arguments.out or _usual_place(arguments, file, protocol, data.split, spec)
    segmenter = load(file, device=machine.device)
    kept = _kept(arguments, out, spec, machine, protocol, data, file)
    watch = Watch(data)
    try:
        with watch:
            report = evaluate(
                segmenter.model,
                data,
                segmenter.preprocessing,
                protocol=protocol,
                device=segmenter.device,
                workers=max(machine.workers, 0),
                precision=machine.precision,
                memory=arguments.memory,
                kept=kept,
                on_picture=watch,
                on_views=watch.within,
            )
    except KeyboardInterrupt:
        if kept is not None:
            text = f"{len(kept.names)} of {len(data)} pictures are counted in {kept.path}; --resume goes on from there"
            print(text, file=sys.stderr)
        raise
    values = report.to_dict() | origin
    if arguments.json:
        print(json.dumps(values, indent=2))
    else:
        print_report(report, values)
    if out:
        predictor = Predictor(
            segmenter.model,
            len(data.classes),
            segmenter.preprocessing,
            segmenter.device,
            protocol,
            machine.precision,
            arguments.memory,
        )
        write_report(out, report, values, watch.samples(predictor))
        if not arguments.json:
            print(f"\nreport.json, confusion.png and samples.png are in {out}")
    return 0


def _usual_place(arguments: Namespace, file: Path, protocol: Protocol, split: str, spec: DataSpec) -> Path | None:
    """A folder in the run folder, if there is one, for each protocol and split."""
    if not Path(arguments.run).is_dir():
        if arguments.resume:
            raise UsageError("--resume goes on from what a folder holds; say which with --out")
        return None
    others = [split] * (split != spec.val) + [protocol.name.replace(", ", "-")] * (protocol.name != "single")
    return file.parent / "-".join(["evaluation", *others])


def _kept(
    arguments: Namespace,
    out: Path | None,
    spec: DataSpec,
    machine: Machine,
    protocol: Protocol,
    data: SegmentationData,
    file: Path,
) -> KeptCounts | None:
    """Where the counts of each picture are kept, with all that decides them."""
    from attseg.evaluation.kept import KeptCounts
    from attseg.inference.files import digest_file

    if out is None:
        return None
    about = {
        "data": to_values(spec) | {"train": None, "val": None},
        "split": data.split,
        "pictures": len(data),
        "protocol": protocol.to_dict(),
        "precision": machine.precision,
        "weights": digest_file(file),
    }
    path = out / "pictures.jsonl"
    if not arguments.resume and (found := KeptCounts.unfinished(path, about, len(data))):
        raise UsageError(
            f"{path} holds the counts of {found} of {len(data)} pictures of this evaluation; go on with --resume, or delete "
            "it to begin anew"
        )
    return KeptCounts(path, about, resume=arguments.resume)


def _data_spec(arguments: Namespace, file: Path, recipe: Recipe | None) -> DataSpec:
    """The data set of the run, with what the command line says instead; of another data set, only what that says."""
    given = _section(arguments.given, "data")
    if recipe is None and "name" not in given:
        raise UsageError(
            f"{file} does not say which data it was trained on; name a data set with --data.name and --data.root"
        )
    if recipe is None or given.get("name", recipe.data.name) != recipe.data.name:
        return from_values(DataSpec, given, "data")
    return from_values(DataSpec, put(to_values(recipe.data), given), "data")


def _recipe(weights: Weights) -> Recipe | None:
    """The recipe that made the weights, where they say so."""
    values = weights.info.get("recipe")
    return from_values(Recipe, values) if isinstance(values, dict) else None


def _section(given: dict[str, Any], name: str) -> dict[str, Any]:
    """The settings below a name, without it."""
    return {key.removeprefix(f"{name}."): value for key, value in given.items() if key.startswith(f"{name}.")}


def _check_classes(trained: ClassTable, measured: ClassTable, run: str) -> None:
    if trained.names == measured.names:
        return
    raise UsageError(
        f"{run} knows {len(trained)} classes ({_few(trained.names)}), and the data set has {len(measured)} "
        f"({_few(measured.names)}); names and order must be equal to be measured"
    )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", .." if len(names) > 4 else "")


def _origin(
    recipe: Recipe | None, weights: Weights, spec: DataSpec, data: SegmentationData, file: Path
) -> dict[str, Any]:
    """What a reader of the numbers needs to get them again."""
    return {
        "recipe": recipe and recipe.name,
        "seed": recipe and recipe.seed,
        "step": weights.info.get("step"),
        "data": spec.name,
        "split": data.split,
        "weights": str(file),
    }
