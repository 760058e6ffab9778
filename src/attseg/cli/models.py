"""``attseg models``: the networks, and the options of their constructors."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

from attseg.cli.output import print_table
from attseg.cli.parser import Parser
from attseg.recipes.values import argument_docs

TEXT = """\
List the models and the options of their constructors. Every option is a setting of a recipe:
`attseg train RECIPE --model.name FCN --model.args.encoder resnet34`."""

EXAMPLES = ("attseg models", "attseg models PAN", "attseg models --json")


def run(argv: Sequence[str]) -> int:
    """List all models, or the one that is named."""
    parser = Parser("models", TEXT, EXAMPLES)
    parser.add_argument("model", nargs="?", metavar="MODEL", help="only this one, with what each option means")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse(argv)

    from attseg.errors import unknown
    from attseg.models import MODELS

    if arguments.model and arguments.model not in MODELS:
        raise unknown("model", arguments.model, MODELS)
    chosen = {arguments.model: MODELS[arguments.model]} if arguments.model else MODELS
    if arguments.json:
        print(json.dumps({name: _described(model) for name, model in chosen.items()}, indent=2))
        return 0
    for name, model in chosen.items():
        described = _described(model)
        print(f"{name}: {described['about']}\n{described['paper']}\n")
        print_table(
            ("option", "default", "what it is"),
            [
                (option, json.dumps(value["default"]), f"{value['about']} {_listed(value['choices'])}".strip())
                for option, value in described["options"].items()
            ],
        )
        print()
    print("Set one with: attseg train RECIPE --model.name NAME --model.args.OPTION VALUE")
    return 0


def _described(model: type) -> dict[str, Any]:
    """What a model is, its paper and its options, from its docstrings and signature."""
    meanings, hints = argument_docs(model), get_type_hints(vars(model)["__init__"])
    options = {
        name: {
            "default": parameter.default,
            "choices": get_args(hints[name]) if get_origin(hints[name]) is Literal else None,
            "about": meanings.get(name, ""),
        }
        for name, parameter in inspect.signature(model).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return {"about": _first_line(model), "paper": _first_line(inspect.getmodule(model)), "options": options}


def _first_line(documented: object) -> str:
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def _listed(choices: Sequence[Any] | None) -> str:
    return f"({', '.join(map(str, choices))})" if choices else ""
