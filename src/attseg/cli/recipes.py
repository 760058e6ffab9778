"""``attseg recipes``: what can be trained by name."""

from __future__ import annotations

from json import dumps
from typing import Any

from attseg.cli.options import Json
from attseg.cli.output import print_table
from attseg.recipes import RECIPES
from attseg.recipes.measured import MEASURED
from attseg.recipes.values import first_line, to_values


def run(*, json: Json = False) -> int:
    """List the recipes. A recipe is a name for everything that decides the result of a training run.

    attseg train NAME trains one; attseg train NAME --print_config prints all of its settings as YAML.

    Examples:
        attseg recipes
        attseg recipes --json
        attseg train pan-camvid --print_config > my.yaml
    """
    if json:
        print(dumps({name: _values(name) for name in RECIPES}, indent=2))
        return 0
    print_table(("recipe", "what it is", "data", "steps", "paper", "ours"), [_row(name) for name in RECIPES])
    print(
        "\nmIoU in percent: the paper's, and ours where measured (docs/papers/results.md). `attseg reproduce` runs whole tables"
    )
    print("Train one with: attseg train RECIPE; print all of its settings with: attseg train RECIPE --print_config")
    return 0


def _row(name: str) -> tuple[Any, ...]:
    recipe = RECIPES[name]()
    paper = "" if recipe.expected_miou is None else str(recipe.expected_miou)
    ours = f"{MEASURED[name].miou:.1f}{MEASURED[name].mark}" if name in MEASURED else ""
    return name, _about(name), recipe.data.name, recipe.steps, paper, ours


def _values(name: str) -> dict[str, Any]:
    """The recipe with what it is, and what was measured."""
    ours = vars(MEASURED[name]) if name in MEASURED else None
    return {"about": _about(name), "ours": ours, **to_values(RECIPES[name]())}


def _about(name: str) -> str:
    """The first sentence of the recipe's docstring."""
    return first_line(RECIPES[name]).replace("`", "")
