"""Train the small networks on which the papers' explanations are put to the test; nothing is done twice.

    python benchmarks/causal_runs.py --steps 300 --out RUNS

Each network differs from its paper's in what the explanation names, and in nothing else. Runs lie in ``RUNS/NAME/seed-N``; all
networks get their first seed before any gets its second. ``benchmarks/causal.py`` measures them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from attseg.console import progress_console
from attseg.prediction.protocols import find_protocol
from attseg.recipes.recipe import Machine, Recipe
from attseg.recipes.tables import find_table
from attseg.recipes.tables.record import Figure, Row
from attseg.recipes.tables.small import small
from attseg.reproduce.plan import Measurement, Run
from attseg.reproduce.run import measure

NETWORKS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "psanet-small-both": ("psanet:1", "50-both", {}),
    "psanet-small-both-alone": ("psanet:1", "50-both", {"context_args": {"fuse": "alone"}}),
    "dfdam-small-dafm": ("dfdam:1", "50-dafm", {}),
    "dfdam-small-dafm-high": ("dfdam:1", "50-dafm", {"gates": "high"}),
    "dfdam-small-dafm-low": ("dfdam:1", "50-dafm", {"gates": "low"}),
    "a2r-small-ours": ("a2r:1", "ours", {}),
    "a2r-small-attention-to-scale": ("a2r:1", "attention-to-scale", {}),
    "a2r-small-dilations": ("a2r:2", "base++", {}),
}
"""By name, the row of a table and the arguments that differ."""


def recipes(steps: int) -> Iterator[tuple[str, Recipe]]:
    """The networks and their recipes."""
    for name, (table, row, args) in NETWORKS.items():
        recipe = small(find_table(table), find_table(table).row(row), steps=steps)
        assert recipe is not None
        yield name, replace(recipe, name=name, model=replace(recipe.model, args={**recipe.model.args, **args}))


def main() -> None:
    """Do what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks (default: all)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    machine, protocol = Machine(precision="bf16", workers=0), find_protocol("single", data="scenes")
    for seed in range(arguments.seeds):
        for name, recipe in recipes(arguments.steps):
            if arguments.names and name not in arguments.names:
                continue
            figure, run = Figure(miou=None), Run(replace(recipe, seed=seed), arguments.out / name / f"seed-{seed}")
            row = Row(name=name, printed=name, figures=(figure,), recipe=recipe)
            measure(Measurement(row, figure, protocol, (run,)), machine, progress_console())


if __name__ == "__main__":
    main()
