"""``attseg evaluate``: how good a trained model is on a split, as a table, as JSON and as pictures."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attseg.cli.parser import Parser, put
from attseg.errors import UsageError
from attseg.recipes.recipe import DataSpec, Machine, Recipe
from attseg.recipes.values import from_values, settings, to_values

if TYPE_CHECKING:
    from attseg.checkpoint import Weights
    from attseg.data.classes import ClassTable
    from attseg.data.sample import Array, Sample, SegmentationData
    from attseg.evaluation.report import Report

TEXT = """\
Measure a trained model on a split: every picture once, whole, at its own size, counted in one confusion
matrix. The data set is the one of the run, unless you name another one with the same classes. A run folder
gets report.json, confusion.png and samples.png in its folder `evaluation`."""

EXAMPLES = (
    "attseg evaluate runs/pan-scenes",
    "attseg evaluate runs/pan-camvid --split test --json > test.json",
    "attseg evaluate best.safetensors --data.name camvid --data.root ~/data/camvid --out evaluation",
    "attseg evaluate demo",
)

MACHINE = ("device", "precision", "workers")
SAMPLES = 4
"""Pictures in samples.png."""


def run(argv: Sequence[str]) -> int:
    """Evaluate, print, and write the files."""
    parser = Parser("evaluate", TEXT, EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="a run folder, a .safetensors file, or demo")
    parser.add_argument("--split", help="which split (default: the one that the run validated on)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the files go (default: RUN/evaluation)")
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

    file = find_weights(arguments.run)
    weights = read_weights(file)
    recipe = _recipe(weights)
    spec = _data_spec(arguments, file, recipe)
    machine = from_values(Machine, _section(arguments.given, "machine"), "machine")
    data = open_data(spec.name, arguments.split or spec.val, root=spec.root, **spec.options)
    _check_classes(weights.classes, data.classes, arguments.run)
    segmenter = load(file, device=machine.device)
    watch = _Watch(len(data))
    with watch:
        report = evaluate(
            segmenter.model,
            data,
            segmenter.preprocessing,
            device=segmenter.device,
            workers=max(machine.workers, 0),
            precision=machine.precision,
            on_picture=watch,
        )
    values = report.to_dict() | _origin(recipe, weights, spec, data, file)
    if arguments.json:
        print(json.dumps(values, indent=2))
    else:
        _print(report, values)
    out = arguments.out or (file.parent / "evaluation" if Path(arguments.run).is_dir() else None)
    if out:
        _write(out, report, values, watch.samples)
        if not arguments.json:
            print(f"\nreport.json, confusion.png and samples.png are in {out}")
    return 0


class _Watch:
    """Shows a bar on standard error, and keeps samples spread over the split for the picture."""

    def __init__(self, total: int) -> None:
        from attseg.cli.output import progress_bar

        self.samples: list[tuple[Array, Array, Array]] = []
        self._kept = {round(1 + place * (total - 1) / (SAMPLES - 1)) for place in range(SAMPLES)}
        self._bar = progress_bar()
        self._task = self._bar.add_task("evaluating", total=total)

    def __enter__(self) -> None:
        self._bar.start()

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def __call__(self, done: int, total: int, sample: Sample, prediction: Array) -> None:
        if done in self._kept:
            self.samples.append((sample.image, sample.labels, prediction))
        self._bar.update(self._task, completed=done)


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


def _print(report: Report, values: dict[str, Any]) -> None:
    """The tables for people: scores in percent."""
    from attseg.cli.output import print_table
    from attseg.metrics import class_accuracy, pixel_accuracy

    print(f"{values['recipe'] or 'a model'} on {values['data']} {values['split']}: {report.pictures} pictures\n")
    pixels = report.counts.sum(1)
    columns = report.iou, class_accuracy(report.counts), pixels / max(pixels.sum(), 1)
    rows = zip(report.classes.names, *(map(_percent, column) for column in columns), strict=True)
    mean = "mean", _percent(report.miou), _percent(report.mean_accuracy), ""
    print_table(("class", "IoU %", "accuracy %", "of all pixels %"), rows, last=mean)
    print(f"\npixel accuracy {_percent(report.pixel_accuracy)} %")
    print(f"frequency-weighted IoU {_percent(report.frequency_weighted_iou)} %")
    if report.absent:
        print(f"absent, and in no mean: {', '.join(report.absent)}")
    if report.probes:
        difficulties = [
            (name, _percent(report.probe_miou(name)), _percent(pixel_accuracy(counts)), int(counts.sum()))
            for name, counts in report.probes.items()
        ]
        print()
        print_table(("difficulty", "mIoU %", "pixel accuracy %", "pixels"), difficulties)


def _percent(share: float) -> str:
    return "-" if share != share else f"{100 * share:.2f}"


def _write(out: Path, report: Report, values: dict[str, Any], samples: list[tuple[Array, Array, Array]]) -> None:
    from attseg.evaluation.pictures import draw_confusion, draw_samples
    from attseg.files import replacing

    with replacing(out / "report.json") as file:
        file.write(json.dumps(values, indent=2).encode())
    draw_confusion(report, out / "confusion.png")
    draw_samples(samples, report.classes, out / "samples.png")
