"""Train and evaluate recipes with several seeds, as ``attseg reproduce`` does rows of a table; nothing is done twice.

    python benchmarks/seeds.py mix-psa-gau-scenes pan-32-scenes --seeds 3 --steps 300 --out RUNS

Runs lie in ``RUNS/RECIPE/seed-N``. All recipes get their first seed before any gets its second, so that a grid that is cut
short can be compared. The weights after the last step count.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from attseg.console import progress_console
from attseg.prediction.protocols import find_protocol
from attseg.recipes import find_recipe
from attseg.recipes.recipe import Machine
from attseg.recipes.tables.record import Figure, Row
from attseg.reproduce.plan import Measurement, Run
from attseg.reproduce.run import measure


def main() -> None:
    """Do what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="+", metavar="RECIPE")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument("--root", help="folder of the data set, where it has one")
    parser.add_argument("--precision", default="bf16", choices=("32", "bf16", "fp16"))
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    machine = Machine(precision=arguments.precision, workers=arguments.workers)
    for seed in range(arguments.seeds):
        for name in arguments.recipes:
            recipe = find_recipe(name)
            steps = arguments.steps or recipe.steps
            data = replace(recipe.data, root=arguments.root) if arguments.root else recipe.data
            recipe = replace(recipe, data=data, seed=seed, steps=steps, val_every=steps)
            figure = Figure(miou=None)
            protocol = find_protocol(figure.protocol, data=recipe.data.name)
            run = Run(recipe, arguments.out / name / f"seed-{seed}")
            row = Row(name=name, printed=name, figures=(figure,), recipe=recipe)
            measure(Measurement(row, figure, protocol, (run,)), machine, progress_console())


if __name__ == "__main__":
    main()
