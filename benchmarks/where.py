"""The where probe of the scenes: what networks and rules without attention get of it, ``benchmarks/results/where.json``.

    python benchmarks/where.py RUNS .. --commit COMMIT --machine "2 cores of an AMD EPYC"

Each RUNS holds ``NAME/seed-N`` as ``attseg train psanet-where-scenes`` leaves them, NAME being one of ``ROWS``; runs of other
numbers of steps are in folders of their own. Nothing is measured twice for one commit. Beside the scores of ``attseg evaluate``,
a pixel of the probe is put the question car or boat, whatever else the network might answer there: an answer that does not
depend on where the balloon is, or is the same for both things of a scene, is right for half of them.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from attseg.data.sets.scenes import Scenes
from attseg.data.sets.scenes.table import BOAT, CAR
from attseg.inference.segmenter import load
from attseg.recipes.files import read_recipe

RECORD = Path(__file__).parent / "results" / "where.json"
ROWS = ("none", "global", "nonlocal", "both")
"""Names of the folders: `directions []`, the contexts `global` and `nonlocal`, PSA."""
LAYOUT = "a balloon above one of two covered things, scenes 2 k and 2 k + 1 are twins (since 2026-11-30)"
"""Of the data: scenes in which a balloon decides had another layout before."""

Known = dict[tuple[str, int, int], dict[str, Any]]
"""Scores of runs by name, seed and steps."""


def main() -> None:
    """Measure all runs, and the rules, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="RUNS")
    parser.add_argument("--commit", required=True, help="what the runs were trained with")
    parser.add_argument("--machine", required=True, help="what they ran on, in words")
    parser.add_argument("--out", type=Path, default=RECORD)
    arguments = parser.parse_args()
    runs = {
        name: [run.parent for folder in arguments.folders for run in sorted(folder.glob(f"{name}/seed-*/report.json"))]
        for name in ROWS
    }
    recipes = [read_recipe(run / "recipe.yaml")[0] for found in runs.values() for run in found]
    settings = [{"options": dict(recipe.data.options), "batch_size": recipe.batch_size} for recipe in recipes]
    if not settings or any(one != settings[0] for one in settings):
        raise SystemExit(f"the runs are of more than one setting, or there are none: {settings}")
    known: Known = {}
    if arguments.out.exists():
        before = json.loads(arguments.out.read_text())
        if before["about"]["commit"] == arguments.commit:
            known = {
                (name, run["seed"], run["steps"]): run for name, found in before["networks"].items() for run in found
            }
    data = Scenes("val", **recipes[0].data.options)
    record = {
        "about": {
            "data": "scenes",
            "layout": LAYOUT,
            "split": data.split,
            "pictures": len(data),
            **settings[0],
            "commit": arguments.commit,
            "machine": arguments.machine,
            "torch": torch.__version__,
            "collected": datetime.now(UTC).date().isoformat(),
        },
        "rules": rules(data),
        "networks": {name: [measured(name, run, data, known) for run in found] for name, found in runs.items()},
    }
    arguments.out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{len(recipes)} runs are in {arguments.out}")


def measured(name: str, run: Path, data: Scenes, known: Known) -> dict[str, Any]:
    """Scores of a run, in percent, if they are not known."""
    seed, steps = int(run.name.removeprefix("seed-")), read_recipe(run / "recipe.yaml")[0].steps
    if (name, seed, steps) in known:
        return known[name, seed, steps]
    segmenter = load(run / "best.safetensors", device="cpu")
    right, apart = [], []
    for index in range(0, len(data), 2):
        first, twin = data[index], data[index + 1]
        probe = first.probes["where"]
        is_car = first.labels[probe] == CAR
        answers = []
        for sample, car in ((first, is_car), (twin, ~is_car)):
            probs = segmenter.segment(sample.image, probabilities=True).probabilities
            assert probs is not None
            answers.append(probs[CAR][probe] > probs[BOAT][probe])
            right.append(answers[-1] == car)
        apart.append(answers[0] != answers[1])
    report = json.loads((run / "report.json").read_text())
    return {
        "seed": seed,
        "steps": steps,
        "date": datetime.fromtimestamp((run / "last.safetensors").stat().st_mtime, UTC).date().isoformat(),
        "miou": _percent(report["miou"]),
        "where_miou": _percent(report["probes"]["where"]["miou"]),
        "where_right": _percent(report["probes"]["where"]["pixel_accuracy"]),
        "car_or_boat": _percent(np.concatenate(right).mean()),
        "differs_from_twin": _percent(np.concatenate(apart).mean()),
    }


def rules(data: Scenes) -> dict[str, float]:
    """Of the probe's pixels, in percent, how many are right without any network; each rule is fitted to what it is scored on.

    ``place``: the best answer for each column. ``scene``: the best answer for each scene, the same for both things, as
    whoever knows where the balloon is, or any mean, and not where a pixel is. ``mean``: for each scene, whether the left or
    the right thing is the car, as in the other pair of scenes whose mean colour is nearest.
    """
    cars, boats = np.zeros(data.size[1], np.int64), np.zeros(data.size[1], np.int64)
    whole, means, columns, answers = [], [], [], []
    for index in range(len(data)):
        sample = data[index]
        place = sample.probes["where"].nonzero()
        car = sample.labels[place] == CAR
        np.add.at(cars, place[1][car], 1)
        np.add.at(boats, place[1][~car], 1)
        whole.append(max(np.count_nonzero(car), np.count_nonzero(~car)))
        means.append(sample.image.mean((0, 1)))
        columns.append(place[1])
        answers.append(car)
    left = [where[car].mean() < where[~car].mean() for where, car in zip(columns, answers, strict=True)]
    distance = np.linalg.norm(np.stack(means)[:, None] - np.stack(means), axis=-1)
    pair = np.arange(len(data)) // 2
    distance[pair[:, None] == pair] = np.inf
    nearest = distance.argmin(1)
    right = [len(car) if left[index] == left[nearest[index]] else 0 for index, car in enumerate(answers)]
    total = sum(map(len, answers))
    return {
        "place": _percent(np.maximum(cars, boats).sum() / total),
        "scene": _percent(sum(whole) / total),
        "mean": _percent(sum(right) / total),
    }


def _percent(share: float) -> float:
    return round(100 * float(share), 3)


if __name__ == "__main__":
    main()
