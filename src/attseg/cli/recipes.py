"""``attseg recipes``: what can be trained by name."""

from __future__ import annotations

from attseg.cli.options import Json
from attseg.cli.output import print_result
from attseg.recipes import RECIPES
from attseg.recipes.measured import MEASURED
from attseg.recipes.values import first_line, to_values
from attseg.text import TextTable

NOTES = """
paper, ours: mIoU in percent, in the paper and in our own runs (docs/papers/results.md); * with changes to the recipe
Train one with: attseg train RECIPE; print all of its settings with: attseg train RECIPE --print-config
`attseg reproduce` trains whole tables of the papers"""


def run(*, json: Json = False) -> int:
    """List the recipes. A recipe is a name for all settings that decide the result of a training run.

    attseg train NAME trains one; attseg train NAME --print-config prints all of its settings as YAML.

    Examples:
        attseg recipes
        attseg recipes --json
        attseg train pan-camvid --print-config > my.yaml
    """
    rows, values = [], {}
    for name, build in RECIPES.items():
        recipe, ours, about = build(), MEASURED.get(name), first_line(build).replace("`", "")
        values[name] = {"about": about, "ours": ours and vars(ours), **to_values(recipe)}
        miou = f"{ours.miou:.1f}{ours.mark}" if ours else ""
        rows.append((name, about, recipe.data.name, recipe.steps, recipe.expected_miou or "", miou))
    print_result(
        values, [TextTable(("recipe", "what it is", "data", "steps", "paper", "ours"), rows), NOTES], json=json
    )
    return 0
