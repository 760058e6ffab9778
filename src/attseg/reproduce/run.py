"""Do what is missing of a measurement: train, then evaluate. Whatever was done before stays, however it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from attseg.data.catalog import open_data
from attseg.data.sample import DataError, SegmentationData
from attseg.errors import UsageError
from attseg.evaluation.identity import describe_classes, describe_data, digest_stamps
from attseg.evaluation.job import Task
from attseg.evaluation.job import measure as measure_model
from attseg.evaluation.kept import KeptCounts
from attseg.files import digest_file, read_text, write_file
from attseg.inference.segmenter import load
from attseg.prediction.protocol import Protocol
from attseg.recipes.files import read_recipe
from attseg.recipes.recipe import Machine
from attseg.recipes.values import to_values
from attseg.reproduce.plan import Measurement, Run
from attseg.runs.folder import RunFolder, check_same
from attseg.runs.history import read_rows
from attseg.training.plan import under_torchrun
from attseg.training.run import train


@dataclass(frozen=True)
class RowResult:
    """Result of a run under a protocol.

    Args:
        seed: Of the run.
        miou: In [0, 1].
        accuracy: Share of right pixels, in [0, 1].
        classes: IoU of each class that occurs, in [0, 1].
        probes: mIoU over the pixels of each difficulty, in [0, 1], where the data set names them.
        steps: Optimiser steps.
        seconds: Of training alone, on the machine that it ran on.
    """

    seed: int
    miou: float
    accuracy: float
    classes: dict[str, float]
    probes: dict[str, float]
    steps: int
    seconds: float


def measure(measurement: Measurement, machine: Machine, console: Console | None = None) -> None:
    """Train and evaluate what is missing.

    The weights after the last step count, not the best ones on the split that is reported.

    Args:
        measurement: What to measure; a row that cannot be run is passed over.
        machine: Where and how; one device.
        console: Where progress is shown.

    Raises:
        UsageError: A folder holds a run with other settings, several processes are asked for, or as in ``train``.
        Interrupted: Ctrl-C or SIGTERM came in training; the state was saved.
    """
    for run in measurement.runs:
        protocol = measurement.protocol
        assert protocol is not None  # there are runs
        if read_result(run, measurement) is not None:
            continue
        folder = RunFolder(run.folder)
        if not _is_trained(folder):
            _check_single(run, machine)
            if console is not None:
                console.print(f"{run.recipe.name}, seed {run.recipe.seed}: training", markup=False, highlight=False)
            train(run.recipe, machine, out=run.folder, resume=folder.recipe.exists(), console=console)
        if console is not None:
            what = f"{run.recipe.name}, seed {run.recipe.seed}: evaluating, {protocol.name}"
            console.print(what, markup=False, highlight=False)
        _evaluate(run, measurement, folder, protocol, machine)


def read_result(run: Run, measurement: Measurement) -> RowResult | None:
    """An earlier result of one run of a measurement, or None.

    Raises:
        UsageError: The folder holds a run with other settings.
    """
    folder = RunFolder(run.folder)
    if folder.recipe.exists():
        check_same(folder, run.recipe)
    file = _result_file(folder, measurement)
    if not file.exists():
        return None
    values = json.loads(read_text(file))
    if _has_changed(run, values):
        return None
    return RowResult(
        seed=run.recipe.seed,
        miou=values["miou"],
        accuracy=values["pixel_accuracy"],
        classes={name: iou for name, iou in values.get("per_class", {}).items() if iou is not None},
        probes={name: probe["miou"] for name, probe in values["probes"].items() if probe["miou"] is not None},
        steps=run.recipe.steps,
        seconds=_seconds(folder, run.recipe.batch_size),
    )


def _has_changed(run: Run, values: dict[str, Any]) -> bool:
    """Whether the data are here, and are not those that were measured; attseg 0.1.0 did not note what they were."""
    try:
        return "stamps" in values and values["stamps"] != digest_stamps(_open(run))
    except DataError:
        return False


def _open(run: Run) -> SegmentationData:
    spec = run.recipe.data
    return open_data(spec.name, spec.val, root=spec.root, **spec.options)


def _is_trained(folder: RunFolder) -> bool:
    """Whether the state after the last step is there; it is what a run writes last."""
    states = [int(path.stem) for path in folder.state.glob("*.pt")]
    return folder.recipe.exists() and bool(states) and max(states) >= read_recipe(folder.recipe)[0].steps


def _check_single(run: Run, machine: Machine) -> None:
    if machine.devices * machine.nodes > 1 or under_torchrun():
        raise UsageError(
            "a table is trained on one device. On several, train its rows one by one, each into the folder where it is looked "
            f"for, and then call this on one: torchrun --nproc-per-node N -m attseg train TABLE/ROW --out {run.folder}"
        )


def _evaluate(run: Run, measurement: Measurement, folder: RunFolder, protocol: Protocol, machine: Machine) -> None:
    """Measure the last weights; counts of each picture are kept, so that a killed evaluation goes on."""
    spec = run.recipe.data
    data = _open(run)
    stamps = digest_stamps(data)
    file, crf = _result_file(folder, measurement), measurement.crf
    about = {
        "classes": describe_classes(data.classes),
        "data": to_values(spec) | {"root": None},
        "protocol": protocol.to_dict(),
        "precision": machine.precision,
        "weights": digest_file(folder.last),
        **({"crf": crf.to_dict()} if crf else {}),
    }
    task = Task(spec=spec, data=data, machine=machine, protocol=protocol, crf=crf)
    kept = KeptCounts(file.with_suffix(".jsonl"), about, resume=True)
    report = measure_model(task, load(folder.last, device=machine.device), kept=kept).report
    values: dict[str, Any] = report.to_dict() | {"recipe": run.recipe.name, "seed": run.recipe.seed}
    values |= describe_data(spec.name, spec.root, spec.options, data) | {"stamps": stamps}
    write_file(file, json.dumps(values).encode() + b"\n")


def _result_file(folder: RunFolder, measurement: Measurement) -> Path:
    assert measurement.protocol is not None  # there are runs
    refined = "-crf" * (measurement.crf is not None)
    return folder.path / "reproduced" / f"{measurement.protocol.name.replace(', ', '-')}{refined}.json"


def _seconds(folder: RunFolder, batch_size: int) -> float:
    """Seconds of training, from the rates in the log."""
    return sum(steps * batch_size / rate for steps, rate in _rates(folder) if rate > 0)


def _rates(folder: RunFolder) -> Iterator[tuple[int, float]]:
    """Steps between two rows of the log, and pictures a second in between."""
    before = 0
    for row in read_rows(folder.metrics):
        yield int(row[0]) - before, float(row[3])
        before = int(row[0])
