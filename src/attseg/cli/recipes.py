"""``attseg recipes``: what can be trained by name."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from typing import Any

from attseg.cli.output import print_table
from attseg.cli.parser import Parser
from attseg.recipes import RECIPES
from attseg.recipes.values import to_values

TEXT = """\
List the recipes: everything that decides the result of a training run, under a name.
`attseg train NAME` trains one, `attseg train NAME --print_config` prints all of its settings as YAML."""

EXAMPLES = ("attseg recipes", "attseg recipes --json", "attseg train pan-camvid --print_config > my.yaml")


def run(argv: Sequence[str]) -> int:
    """List the recipes."""
    parser = Parser("recipes", TEXT, EXAMPLES)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    if parser.parse(argv).json:
        print(
            json.dumps({name: {"about": _about(name), **to_values(make())} for name, make in RECIPES.items()}, indent=2)
        )
        return 0
    print_table(("recipe", "what it is", "data", "steps", "batch", "crop"), [_row(name) for name in RECIPES])
    print("\nTrain one with: attseg train RECIPE; print all of its settings with: attseg train RECIPE --print_config")
    return 0


def _row(name: str) -> tuple[Any, ...]:
    recipe = RECIPES[name]()
    height, width = recipe.crop_size
    return name, _about(name), recipe.data.name, recipe.steps, recipe.batch_size, f"{height} x {width}"


def _about(name: str) -> str:
    """The first sentence of the recipe's docstring."""
    return (inspect.getdoc(RECIPES[name]) or "").partition("\n")[0].replace("`", "")
