"""``attseg train``: a recipe, changed as wanted, becomes a run folder."""

from __future__ import annotations

import json
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from attseg.cli.parser import Parser
from attseg.errors import UsageError
from attseg.files import read_text
from attseg.recipes import find_recipe
from attseg.recipes.files import from_file, read_yaml, to_yaml
from attseg.recipes.nested import merge, put
from attseg.recipes.recipe import Machine, Recipe, check_new_name
from attseg.recipes.values import settings, to_values

TEXT = """\
Train a recipe. Every setting of the recipe and of the machine has an option; what is not given stays as
the recipe says. The run folder gets the settings (recipe.yaml), the weights (best and last .safetensors),
the course (metrics.csv, curves.png), the result (report.json, confusion.png, samples.png), and what
`--resume` needs. Ctrl-C and SIGTERM save first."""

EXAMPLES = (
    "attseg train pan-scenes --steps 200                      no files needed",
    "attseg train pan-camvid --data.root ~/data/camvid --out runs/first",
    "attseg train pan-folder --data.root ~/mine --model.args.encoder resnet34 --optim.lr 0.02",
    "attseg train pan-camvid --print_config > my.yaml         edit it, and then",
    "attseg train my.yaml                                     run it",
    "attseg train pan-camvid --config changes.yaml            a file that holds only what differs",
    "attseg train --resume --out runs/first                   go on where a run stopped",
)

USAGE = "RECIPE [--data.root DIR] [--out DIR] [--resume] [--config FILE] [--print_config] [--SETTING VALUE ...]"

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK")
"""Variables that number the processes of a run; the first one alone speaks."""

LABELS = ("source", "expected_miou", "protocol")
"""Settings of a recipe that change nothing about a run."""


def run(argv: Sequence[str]) -> int:
    """Train, or print the settings."""
    parser = Parser("train", TEXT, EXAMPLES, usage=USAGE)
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help="a name (attseg recipes) or a YAML file")
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/NAME)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out; RECIPE may be left out")
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML whose settings replace those of RECIPE")
    parser.add_argument("--print_config", action="store_true", help="print all settings as YAML, and train nothing")
    parser.add_settings("recipe", (setting for setting in settings(Recipe) if setting.key not in LABELS))
    parser.add_settings("machine", settings(Machine, "machine"))
    arguments = parser.parse(argv)

    recipe, machine = _resolve(arguments)
    if not arguments.resume:
        check_new_name(recipe.name)
    if arguments.print_config:
        sys.stdout.write(to_yaml(recipe, machine))
        return 0
    out = arguments.out or Path("runs", recipe.name)
    return _train(recipe, machine, out, resume=arguments.resume)


def _resolve(arguments: Namespace) -> tuple[Recipe, Machine]:
    """The recipe and the machine: RECIPE, below ``--config``, below the settings on the command line."""
    values, origin = _base(arguments)
    if arguments.config and arguments.recipe:
        values, origin = merge(values, read_yaml(arguments.config)), str(arguments.config)
    if not arguments.given:
        return from_file(values, origin)
    from_file(values, origin)  # what is wrong in a file is said of the file
    return from_file(put(values, arguments.given), "command line")


def _base(arguments: Namespace) -> tuple[dict[str, Any], str]:
    """The values to begin with, and where they come from."""
    name: str | None = arguments.recipe
    if name is not None and not name.endswith((".yaml", ".yml")):
        return to_values(find_recipe(name)), f"recipe {name}"
    if name is not None:
        file = Path(name)
    elif arguments.config:
        file = arguments.config
    elif arguments.resume and arguments.out:
        file = arguments.out / "recipe.yaml"
        if not file.exists():
            raise UsageError(f"there is no run to resume in {arguments.out}: it has no recipe.yaml")
    else:
        raise UsageError(
            "no recipe was given; `attseg recipes` lists them, `attseg train pan-scenes` trains one without files"
        )
    return read_yaml(file), str(file)


def _train(recipe: Recipe, machine: Machine, out: Path, *, resume: bool) -> int:
    from attseg.cli.output import progress_console
    from attseg.training.errors import Interrupted
    from attseg.training.run import train

    where = shlex.quote(str(out))
    if recipe.data.root:  # the run may be evaluated from elsewhere
        recipe = replace(recipe, data=replace(recipe.data, root=str(Path(recipe.data.root).expanduser().absolute())))
    if recipe.init:
        recipe = replace(recipe, init=str(Path(recipe.init).expanduser().absolute()))
    try:
        train(recipe, machine, out=out, resume=resume, console=progress_console())
    except Interrupted as stop:
        raise Interrupted(f"{stop}: attseg train --resume --out {where}", stop.signal) from None
    if any(os.environ.get(rank, "0") != "0" for rank in RANKS):
        return 0
    report = json.loads(read_text(out / "report.json"))
    print(f"{out}: mIoU {100 * report['miou']:.2f} % on {recipe.data.val}, after step {report['step']}")
    print("next:")
    print(f"  attseg evaluate {where}")
    print(f"  attseg predict {where} PICTURES --out DIR")
    return 0
