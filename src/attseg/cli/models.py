"""``attseg models``: the networks, and the options of their constructors."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps
from typing import Any

from attseg.cli.options import Json
from attseg.cli.output import print_table
from attseg.errors import unknown
from attseg.recipes.values import describe_class


def run(model: str | None = None, /, *, json: Json = False) -> int:
    """List the models and the options of their constructors.

    Every option is a setting of a recipe: attseg train RECIPE --model.name FCN --model.args.encoder resnet34.

    Args:
        model: List only this one.

    Examples:
        attseg models
        attseg models PAN
        attseg models --json
    """
    from attseg.models import MODELS

    if model and model not in MODELS:
        raise unknown("model", model, MODELS)
    described = {name: describe_class(MODELS[name]) for name in ([model] if model else MODELS)}
    if json:
        print(dumps(described, indent=2))
        return 0
    for name, about in described.items():
        print(f"{name}: {about['about']}\n{about['paper']}\n")
        rows = [
            (option, dumps(value["default"]), f"{value['about']} {_listed(value['choices'])}".strip())
            for option, value in about["options"].items()
        ]
        print_table(("option", "default", "what it is"), rows)
        print()
    print("Set one with: attseg train RECIPE --model.name NAME --model.args.OPTION VALUE")
    return 0


def _listed(choices: Sequence[Any] | None) -> str:
    return f"({', '.join(map(str, choices))})" if choices else ""
