"""What the papers say of their attention, measured on runs of several seeds and on untrained networks: ``results/claims.json``.

    python benchmarks/collect_claims.py RUNS/small --limit 100

Of each network and seed it is what ``attseg explain RUN --claims`` measures, on the last weights. An untrained network is the
same one with first weights of that seed: what a claim says of it, training did not do. Nothing is measured twice.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from rich.progress import track

from attseg.checkpoint import architecture
from attseg.data.sets.scenes import Scenes
from attseg.explain.claims.measure import measure
from attseg.inference.segmenter import Segmenter, load
from attseg.models import build_model
from attseg.recipes.files import read_recipe

NETWORKS = (
    "pan-small-c357-ave-gp",
    "a2r-small-ours",
    "a2r-small-attention-to-scale",
    "dfdam-small-dafm-2dpam",
    "psanet-small-collect",
    "psanet-small-distribute",
    "psanet-small-both",
)
RECORD = Path(__file__).parent / "results" / "claims.json"


def main() -> None:
    """Measure what is missing, and write the record after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=100, help="pictures, spread evenly over val (default: 100)")
    parser.add_argument("--out", type=Path, default=RECORD)
    arguments = parser.parse_args()
    about = {"data": "scenes val, 160 x 384", "pictures": arguments.limit, "points": 32, "seed_of_points": 0}
    record = json.loads(arguments.out.read_text()) if arguments.out.exists() else {"about": about, "networks": {}}
    if record["about"] != about:
        raise SystemExit(f"{arguments.out} is about {record['about']}, and this would be about {about}; move it away")
    for name in NETWORKS:
        known = record["networks"].setdefault(name, {"trained": {}, "untrained": {}})
        for seed in range(arguments.seeds):
            run = next((found for one in arguments.folders if _is_done(found := one / name / f"seed-{seed}")), None)
            if run is None:
                continue
            segmenter = load(run / "last.safetensors", device="cpu")
            for kind in ("trained", "untrained"):
                if str(seed) in known[kind]:
                    continue
                model = segmenter.model if kind == "trained" else untrained(run, seed)
                known[kind][str(seed)] = measured(model, segmenter, arguments.limit, f"{name}, seed {seed}, {kind}")
                arguments.out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{arguments.out}: {sum(len(kinds['trained']) for kinds in record['networks'].values())} trained networks")


def measured(model: torch.nn.Module, segmenter: Segmenter, limit: int, what: str) -> dict[str, Any]:
    """The claims of a network, with the date."""
    steps = iter(track(range(limit), description=what))
    data = Scenes("val", size=(160, 384))
    claims = measure(model, data, segmenter.preprocessing, limit=limit, on_picture=lambda *_: next(steps))
    next(steps, None)
    return {"date": datetime.now(UTC).date().isoformat(), "claims": claims.to_dict()["claims"]}


def untrained(run: Path, seed: int) -> torch.nn.Module:
    """The network of a run with the first weights of a seed."""
    recipe = read_recipe(run / "recipe.yaml")[0]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_model(recipe.model.name, architecture(recipe.model.args), 12).eval()


def _is_done(run: Path) -> bool:
    return (run / "reproduced" / "single.json").is_file()


if __name__ == "__main__":
    main()
