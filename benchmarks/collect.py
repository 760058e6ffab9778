"""Runs on generated scenes become the record that ``docs/papers/results.md`` is made from: ``benchmarks/results/scenes.json``.

    python benchmarks/collect.py RUNS/small=COMMIT MIXES=COMMIT --machine "2 cores of an AMD EPYC"

Each folder holds ``NAME/seed-N`` as ``attseg reproduce`` and ``benchmarks/seeds.py`` leave them, and COMMIT says what they were
run with. Runs that are not there yet are missing in the record; call it again when they are. Nothing is trained.
With ``--keep``, runs of the record stay where the folders have none of the same network and seed, if its arguments are the same;
intervals over pictures are of all seeds of both networks, or left out.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from attseg.checkpoint import architecture
from attseg.evaluation.bootstrap import DRAWS, LEVEL, class_parts, in_blocks, ious_of
from attseg.evaluation.counts import unpack
from attseg.models import build_model
from attseg.prediction.protocols import find_protocol
from attseg.profiling.count import profile
from attseg.recipes import find_recipe
from attseg.recipes.recipe import Recipe
from attseg.recipes.tables import find_table
from attseg.recipes.tables.record import Figure, Row
from attseg.recipes.tables.small import small
from attseg.reproduce.plan import Measurement, Run
from attseg.reproduce.run import RowResult, read_result
from attseg.runs.history import read_rows

TABLES = (
    "psanet:1",
    "pan:1",
    "pan:3",
    "pan:5",
    "dfdam:1",
    "a2r:1",
    "a2r:2",
    "psanet:since",
    "psanet:readings",
    "a2r:readings",
    "dfdam:readings",
    "pan:readings",
)
MIXES = ("mix-psa-gau-scenes", "mix-global-gau-scenes", "mix-fpa-dafm-scenes", "pan-32-scenes")
OWN = (
    "psanet-small-both",
    "pan-small-pan",
    "pan-small-gau",
    "pan-small-gau-1x1",
    "dfdam-small-dafm",
    "dfdam-small-dafm-2dpam",
    "a2r-small-ours",
)
"""What a mix is compared with: the networks that the papers propose, and the row of each table that did better here."""

FURTHER = (
    ("2DPAM on top of DAFM", "dfdam-small-dafm-2dpam", "dfdam-small-dafm"),
    ("both directions over collect alone", "psanet-small-both", "psanet-small-collect"),
    ("both directions over global pooling", "psanet-small-both", "psanet-small-global"),
    ("both directions over ASPP", "psanet-small-both", "psanet-small-aspp"),
    ("FPA's pyramid beside its pooled branch, over SE", "pan-small-c357-ave-gp", "pan-small-se"),
    ("FPA's pooled branch beside its pyramid", "pan-small-c357-ave-gp", "pan-small-c357-ave"),
    ("GAU's guidance", "pan-small-gau", "pan-small-gau-plain"),
    ("GAU's 3x3 over its 1x1 convolutions", "pan-small-gau", "pan-small-gau-1x1"),
    ("the maximum over attention-to-scale", "a2r-small-max", "a2r-small-attention-to-scale"),
)
"""Differences within a table that are not to its baseline."""

RECORD = Path(__file__).parent / "results" / "scenes.json"
SEEDS = 3
"""Wanted of each network; some have more."""
PROBES = ("context", "scale", "boundary")
PROTOCOL = "single"
TEST = Path("reproduced", "test.json")
"""Of a run: its report on the test split, where there is one (``held_out.py``)."""

Parts = npt.NDArray[np.int64]


def main() -> None:
    """Collect, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="FOLDER=COMMIT")
    parser.add_argument("--machine", required=True, help="what it ran on, in words")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", type=Path, default=RECORD)
    parser.add_argument(
        "--keep", action="store_true", help="keep the record's runs where the folders have none of the network and seed"
    )
    arguments = parser.parse_args()
    folders = [(Path(folder), commit) for folder, _, commit in (text.partition("=") for text in arguments.runs)]
    rows, recipes = tables(arguments.steps)
    found: dict[str, dict[int, Path]] = {}
    networks = {}
    for name, recipe in recipes.items():
        networks[name] = cost(recipe) | {"runs": []}
        for folder, commit in folders:
            for run, result in results(recipe, folder / name):
                networks[name]["runs"].append(as_record(run, result) | {"commit": commit, "torch": torch.__version__})
                found.setdefault(name, {})[result.seed] = run.folder / "reproduced" / f"{PROTOCOL}.jsonl"
    before = json.loads(arguments.out.read_text()) if arguments.keep else {"networks": {}, "over_pictures": {}}
    kept = set()
    for name, one in networks.items():
        earlier = before["networks"].get(name)
        if earlier is not None and earlier["args"] == json.loads(json.dumps(one["args"])):
            new = {run["seed"] for run in one["runs"]}
            one["runs"] = sorted(
                [*one["runs"], *(run for run in earlier["runs"] if run["seed"] not in new)],
                key=lambda run: run["seed"],
            )
            kept.add(name)
    pairs = {(row["network"], row["baseline"]) for table in rows.values() for row in table if row["baseline"]}
    pairs |= {(mix, own) for mix in MIXES for own in OWN} | {(one, other) for _, one, other in FURTHER}
    pictures = {}
    for one, other in sorted(pairs):
        name, both = f"{one} - {other}", found.get(one, {}).keys() & found.get(other, {}).keys()
        earlier = before["over_pictures"].get(name) if {one, other} <= kept else None
        if both and (earlier is None or len(both) >= len(earlier["seeds"])):
            pictures[name] = over_pictures(found[one], found[other])
        elif earlier is not None:
            pictures[name] = earlier
        common = set.intersection(*({run["seed"] for run in networks[end]["runs"]} for end in (one, other)))
        if name in pictures and set(pictures[name]["seeds"]) != common:
            del pictures[name]  # counts of other seeds, which were recorded before, are gone
    record = {
        "about": before["about"]
        if kept
        else {
            "data": "scenes val, 200 pictures of 160 x 384",
            "protocol": PROTOCOL,
            "steps": arguments.steps,
            "seeds": SEEDS,
            "precision": "bf16",
            "machine": arguments.machine,
            "torch": torch.__version__,
            "collected": datetime.now(UTC).date().isoformat(),
        },
        "tables": rows,
        "further": [[title, one, other] for title, one, other in FURTHER],
        "networks": networks,
        "over_pictures": pictures,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(record, indent=1) + "\n")
    done = sum(len(one["runs"]) for one in networks.values())
    missing = sum(max(0, SEEDS - len(one["runs"])) for one in networks.values())
    print(f"{done} runs are in {arguments.out}, {missing} are missing")


def tables(steps: int) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Recipe]]:
    """The rows of each table with the network that stands for each, and the recipe of each network."""
    rows: dict[str, list[dict[str, Any]]] = {}
    recipes: dict[str, Recipe] = {}
    for name in TABLES:
        table = find_table(name)
        by_row = {row.name: small(table, row, steps=steps) for row in table.rows}
        rows[name] = []
        for row in table.rows:
            recipe = by_row[row.name]
            if recipe is None or recipe.name in {one["network"] for one in rows[name]}:
                continue  # rows that differ in nothing but the depth of the encoder are one network here
            recipes[recipe.name] = recipe
            base = by_row.get(row.baseline)
            rows[name].append(
                {
                    "row": row.name,
                    "printed": row.printed,
                    "network": recipe.name,
                    "baseline": base.name if base else None,
                    "paper": row.figures[0].miou,
                    "paper_baseline": table.row(row.baseline).figures[0].miou if row.baseline else None,
                }
            )
    recipes |= {name: replace(find_recipe(name), steps=steps, val_every=steps) for name in MIXES}
    return rows, recipes


def results(recipe: Recipe, folder: Path) -> Iterator[tuple[Run, RowResult]]:
    """The runs of a recipe that have been evaluated."""
    protocol = find_protocol(PROTOCOL, data=recipe.data.name)
    row = Row(name=recipe.name, printed=recipe.name, figures=(Figure(miou=None),), recipe=recipe)
    for seed in sorted(int(one.name.removeprefix("seed-")) for one in folder.glob("seed-*")):
        run = Run(replace(recipe, seed=seed), folder / f"seed-{seed}")
        result = read_result(run, Measurement(row, row.figures[0], protocol, (run,)))
        if result is not None:
            yield run, result


def as_record(run: Run, result: RowResult) -> dict[str, Any]:
    """What is kept of a run, in percent."""
    report = json.loads((run.folder / "reproduced" / f"{PROTOCOL}.json").read_text())
    ended = datetime.fromtimestamp((run.folder / "last.safetensors").stat().st_mtime, UTC)
    return {
        "seed": result.seed,
        "miou": round(100 * result.miou, 3),
        "accuracy": round(100 * result.accuracy, 3),
        **{name: round(100 * result.probes[name], 3) for name in PROBES},
        "per_class": {name: round(100 * iou, 2) for name, iou in report["per_class"].items()},
        "seconds": round(result.seconds),
        "fastest_pictures_a_second": max(float(row[3]) for row in read_rows(run.folder / "metrics.csv")),
        "date": ended.date().isoformat(),
        **_on_test(run.folder / TEST),
    }


def _on_test(file: Path) -> dict[str, float]:
    if not file.exists():
        return {}
    report = json.loads(file.read_text())
    scores = {"miou": report["miou"]} | {name: report["probes"][name]["miou"] for name in PROBES}
    return {f"test_{name}": round(100 * score, 3) for name, score in scores.items()}


def cost(recipe: Recipe) -> dict[str, Any]:
    """What a network is and what it costs for one picture of the data set."""
    with torch.device("meta"):
        model = build_model(recipe.model.name, architecture(recipe.model.args), 12).eval()
    total = profile(model, recipe.crop_size).total
    return {
        "model": recipe.model.name,
        "args": recipe.model.args,
        "parameters": total.parameters,
        "multiply_adds": total.multiply_adds,
    }


def over_pictures(one: dict[int, Path], other: dict[int, Path], *, block: int = 1) -> dict[str, Any]:
    """By how many points the first network's mIoU is higher, and where that lies with other pictures of the kind.

    Of each seed the file with the counts of each picture is given. The same pictures are drawn for both, and the difference of
    each draw is the mean over the seeds that both have.
    """
    seeds = sorted(one.keys() & other.keys())
    first, second = (np.stack([parts_of(runs[seed]) for seed in seeds]) for runs in (one, other))
    value = score(first) - score(second)
    low, high = spread([score(first, times) - score(second, times) for times in drawn(first.shape[1], block)])
    return {"seeds": seeds, "value": round(value, 3), "low": low, "high": high}


def drawn(pictures: int, block: int = 1) -> Parts:
    """(DRAWS, pictures) how often each picture is in each draw, with replacement."""
    times = np.random.default_rng(0).multinomial(math.ceil(pictures / block), np.full(pictures, 1 / pictures), DRAWS)
    return in_blocks(times, block)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Between which ends 95 % of the draws lie."""
    low, high = np.quantile(values, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return round(float(low), 3), round(float(high), 3)


def score(parts: Parts, times: Parts | None = None) -> float:
    """The mIoU in percent, mean over seeds, of (seeds, pictures, 3, K) parts, each picture as often as said."""
    total = parts.sum(1) if times is None else np.einsum("n,snik->sik", times, parts)
    return 100 * float(np.nanmean(ious_of(total), axis=1).mean())


def parts_of(file: Path) -> Parts:
    """(N, 3, K) what IoU needs of each picture of an evaluation."""
    lines = file.read_text().splitlines()[1:]
    pictures = sorted((json.loads(line) for line in lines), key=lambda one: one["index"])
    return class_parts(unpack(one["counts"])["confusion/counts"].numpy() for one in pictures)


if __name__ == "__main__":
    main()
