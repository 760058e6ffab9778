"""Runs of ``benchmarks/camvid_grid.py`` become a record that ``docs/papers/results.md`` is made from: ``results/camvid.json``.

    python benchmarks/collect_camvid.py RUNS... --minutes 60 --commit COMMIT --machine "2 cores of an AMD EPYC"

What has not been measured is missing in the record; call it again when it is. Nothing is trained.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from camvid_grid import ENCODERS, NETWORKS, ON_TRAIN, PROTOCOLS
from collect import over_pictures, parts_of

from attseg.checkpoint import architecture
from attseg.evaluation.bootstrap import miou_interval
from attseg.models import build_model
from attseg.profiling.count import profile
from attseg.recipes.files import read_recipe
from attseg.runs.history import read_rows

RECORD = Path(__file__).parent / "results" / "camvid.json"
SIZE = (360, 480)
CLASSES = 11
BASE, MIX = "fcn", "mix-global-gau"
"""What every network is compared with on the same encoder: the one without attention, and the best mix."""

BLOCK = 10
"""Frames that follow each other and are drawn together, because neighbours look alike."""

TOLERANCE = 3
"""Pixels between a contour and its prediction, for the F-score."""


def main() -> None:
    """Collect, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="RUNS")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--machine", required=True, help="what it ran on, in words")
    parser.add_argument("--out", type=Path, default=RECORD)
    arguments = parser.parse_args()
    about = {"minutes": arguments.minutes, "commit": arguments.commit, "machine": arguments.machine}
    networks = {}
    counts: dict[str, dict[int, Path]] = {}
    for encoder in ENCODERS:
        for network in NETWORKS:
            name = f"{network}-{encoder}"
            runs = (run for folder in arguments.folders for run in (folder / name).glob("seed-*"))
            found = [run for run in sorted(runs, key=_seed) if (run / f"{PROTOCOLS[0]}.json").exists()]
            if found:
                networks[f"{network}/{encoder}"] = _cost(found[0]) | {"runs": [_run(run) for run in found]}
                counts[f"{network}/{encoder}"] = {_seed(run): run / PROTOCOLS[0] / "pictures.jsonl" for run in found}
    differences = {
        f"{one} - {other}": over_pictures(counts[one], counts[other], block=BLOCK)
        for one, other in _pairs(networks)
        if counts[one].keys() & counts[other].keys()
    }
    record = {"about": about, "networks": networks, "over_pictures": differences}
    arguments.out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{sum(len(one['runs']) for one in networks.values())} runs are in {arguments.out}")


def _pairs(names: Collection[str]) -> list[tuple[str, str]]:
    """Which differences are taken: of each network to ``BASE``, and of ``MIX`` to each, on the same encoder."""
    split = [name.split("/") for name in names]
    pairs = [(f"{one}/{encoder}", f"{BASE}/{encoder}") for one, encoder in split if one != BASE]
    pairs += [(f"{MIX}/{encoder}", f"{one}/{encoder}") for one, encoder in split if one not in (BASE, MIX)]
    return [pair for pair in pairs if all(name in names for name in pair)]


def _seed(folder: Path) -> int:
    return int(folder.name.removeprefix("seed-"))


def _run(folder: Path) -> dict[str, Any]:
    recipe = read_recipe(folder / "recipe.yaml")[0]
    reports = {name: json.loads(file.read_text()) for name in PROTOCOLS if (file := folder / f"{name}.json").exists()}
    rates = [float(row[3]) for row in read_rows(folder / "metrics.csv")]
    seen = folder / f"{ON_TRAIN}.json"
    ended = datetime.fromtimestamp((folder / "last.safetensors").stat().st_mtime, UTC)
    return {
        "seed": recipe.seed,
        "steps": recipe.steps,
        "fastest_pictures_a_second": max(rates),
        "date": ended.date().isoformat(),
        **({"on_train": round(100 * json.loads(seen.read_text())["miou"], 3)} if seen.exists() else {}),
        "protocols": {name: _report(report, folder / name / "pictures.jsonl") for name, report in reports.items()},
    }


def _report(report: dict[str, Any], counts: Path) -> dict[str, Any]:
    """What is kept of an evaluation, in percent."""
    interval = miou_interval(parts_of(counts), block=BLOCK)
    scores = report["meters"]["boundary"]["f_score"]
    contours = next(one["f_score"] for one in scores if one["tolerance"] == TOLERANCE)
    return {
        "miou": round(100 * report["miou"], 3),
        "low": round(100 * interval.low, 3),
        "high": round(100 * interval.high, 3),
        "accuracy": round(100 * report["pixel_accuracy"], 3),
        "boundary_f": round(100 * contours, 3),
        "per_class": {name: None if iou is None else round(100 * iou, 2) for name, iou in report["per_class"].items()},
    }


def _cost(folder: Path) -> dict[str, Any]:
    spec = read_recipe(folder / "recipe.yaml")[0].model
    with torch.device("meta"):
        model = build_model(spec.name, architecture(spec.args), CLASSES).eval()
    total = profile(model, SIZE).total
    return {"parameters": total.parameters, "multiply_adds": total.multiply_adds}


if __name__ == "__main__":
    main()
