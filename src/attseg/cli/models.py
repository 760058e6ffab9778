"""``attseg models``: the networks, and the options of their constructors."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from typing import Any

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
        print(f"{name}: {described['about']}")
        if described["source"]:
            print(f"Source: {described['source']}")
        print_table(
            ("option", "default", "what it is"),
            [(option, json.dumps(value["default"]), value["about"]) for option, value in described["options"].items()],
        )
        print()
    return 0


def _described(model: type) -> dict[str, Any]:
    """First line, source and options of a model, from its docstring and signature."""
    doc, meanings = inspect.getdoc(model) or "", argument_docs(model)
    options = {
        name: {"default": parameter.default, "about": meanings.get(name, "")}
        for name, parameter in inspect.signature(model).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return {"about": doc.partition("\n")[0], "source": _section(doc, "Source"), "options": options}


def _section(doc: str, title: str) -> str:
    """The text of one section of a Google docstring, on one line."""
    text = doc.partition(f"\n{title}:\n")[2]
    lines = []
    for line in text.splitlines():
        if line and not line.startswith(" "):
            break
        lines.append(line.strip())
    return " ".join(lines).strip()
