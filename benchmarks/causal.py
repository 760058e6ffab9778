"""The papers' explanations put to the test, on runs of ``causal_runs.py`` and on untrained networks: ``results/causal.json``.

    python benchmarks/causal.py RUNS --limit 40

Of each network and seed it is what ``attseg explain RUN --claims`` measures, on the last weights, and the same with first
weights of that seed. Nothing is measured twice. ``psanet-small-both`` is in ``claims.json``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from causal_runs import NETWORKS
from collect_claims import measured, untrained

from attseg.inference.segmenter import load
from attseg.recipes.files import read_recipe

RECORD = Path(__file__).parent / "results" / "causal.json"
KEPT = (
    "pieces of objects",
    "scale weights swapped",
    "weight of image scales",
    "contrast between positions",
    "collect)",
    "distribute)",
)
"""Ends of the names of the findings that are kept."""


def main() -> None:
    """Measure what is missing, and write the record after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=40, help="pictures, spread evenly over val (default: 40)")
    parser.add_argument("--out", type=Path, default=RECORD)
    arguments = parser.parse_args()
    about = {"data": "scenes val, 160 x 384", "pictures": arguments.limit, "points": 32, "seed_of_points": 0}
    record: dict[str, Any] = {"about": about, "networks": {}}
    if arguments.out.exists():
        record = json.loads(arguments.out.read_text())
    if record["about"] != about:
        raise SystemExit(f"{arguments.out} is about {record['about']}, and this would be about {about}; move it away")
    for kind in ("trained", "untrained"):
        for name in NETWORKS:
            for seed in range(arguments.seeds):
                run = arguments.folder / name / f"seed-{seed}"
                if (run / "reproduced" / "single.json").is_file():
                    known = record["networks"].setdefault(name, {"trained": {}, "untrained": {}})[kind]
                    if str(seed) not in known:
                        known[str(seed)] = _of(run, seed, kind, arguments.limit)
                        arguments.out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{arguments.out}: {sum(len(kinds['trained']) for kinds in record['networks'].values())} trained networks")


def _of(run: Path, seed: int, kind: str, limit: int) -> dict[str, Any]:
    segmenter = load(run / "last.safetensors", device="cpu")
    model = segmenter.model if kind == "trained" else untrained(run, seed)
    found = measured(model, segmenter, limit, f"{run.parent.name}, seed {seed}, {kind}")
    found["claims"] = [one for one in found["claims"] if one["name"].endswith(KEPT)]
    if kind == "untrained":
        return found
    miou = json.loads((run / "reproduced" / "single.json").read_text())["miou"]
    return {"steps": read_recipe(run / "recipe.yaml")[0].steps, "miou": miou, **found}


if __name__ == "__main__":
    main()
