"""``attseg train``: a recipe, changed as wanted, becomes a run folder."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from attseg.cli.settings import with_settings
from attseg.errors import UsageError
from attseg.json_files import read_json
from attseg.recipes import find_recipe
from attseg.recipes.files import from_file, read_yaml, to_yaml
from attseg.recipes.nested import merge, put
from attseg.recipes.recipe import Machine, Recipe, check_new_name
from attseg.recipes.values import settings, to_values

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK")
"""Variables that number the processes of a run; the first one alone speaks."""

LABELS = ("source", "expected_miou", "protocol")
"""Settings of a recipe that change nothing about a run."""


LENGTHS = ("steps", "epochs", "minutes")


@with_settings(
    ("Settings of the recipe", (setting for setting in settings(Recipe) if setting.key not in LABELS)),
    ("Settings of the machine", settings(Machine, "machine")),
)
def run(
    recipe: str | None = None,
    /,
    *,
    out: Path | None = None,
    resume: bool = False,
    config: Path | None = None,
    print_config: bool = False,
    given: dict[str, Any],
) -> int:
    """Train a recipe.

    Every setting of the recipe and of the machine has an option; settings that are not given keep the values of the recipe.

    The run folder gets the settings (recipe.yaml), the weights (best and last .safetensors), the log (metrics.csv, curves.png),
    the result (report.json, confusion.png, samples.png), and the state that --resume needs. Ctrl-C and SIGTERM save first.

    Args:
        recipe: Name of a recipe (see attseg recipes), or a YAML file.
        out: Run folder (default: runs/NAME).
        resume: Continue the run in --out, or in the folder given in place of RECIPE.
        config: YAML file whose settings replace those of RECIPE.
        print_config: Print all settings as YAML, and train nothing.
        given: Settings on the command line.

    Examples:
        attseg train pan-scenes --steps 200                      no files needed
        attseg train pan-camvid --data.root ~/data/camvid --out runs/first
        attseg train pan-folder --data.root ~/mine --model.args.encoder resnet34 --optim.lr 0.02
        attseg train pan-camvid --print_config > my.yaml         edit it, and then
        attseg train my.yaml                                     run it
        attseg train pan-camvid --config changes.yaml            a file that holds only what differs
        attseg train --resume runs/first                         continue a run that was stopped
        attseg train --resume runs/first --steps 40000           go on for longer
        attseg train pan-folder --data.root ~/mine --init runs/first --freeze encoder --minutes 30
    """
    if resume and out is None and recipe and Path(recipe).is_dir():
        out, recipe = Path(recipe), None  # attseg train --resume RUN
    found, machine = _resolve(recipe, out, config, given, resume=resume)
    if not resume:
        check_new_name(found.name)
    if print_config:
        sys.stdout.write(to_yaml(found, machine))
        return 0
    return _train(found, machine, out or Path("runs", found.name), resume=resume)


def _resolve(
    name: str | None, out: Path | None, config: Path | None, given: dict[str, Any], *, resume: bool
) -> tuple[Recipe, Machine]:
    """The recipe and the machine: RECIPE, below ``--config``, below the settings on the command line."""
    values, origin = _base(name, out, config, resume=resume)
    changes = read_yaml(config) if config and name else {}
    init = given.get("init", changes.get("init"))
    if isinstance(init, str) and not resume and not _is_file(name or "") and "model" not in changes:
        values = _with_model_of(init, values, given)
    if config and name:
        values, origin = merge(values, changes), str(config)
    values |= _one_length({name: changes[name] for name in LENGTHS if name in changes})
    if not given:
        return from_file(values, origin)
    from_file(values, origin)  # what is wrong in a file is said of the file
    return from_file(put(values | _one_length(given), given), "command line")


def _one_length(given: dict[str, Any]) -> dict[str, Any]:
    """The other lengths of a run as 0, where one is given."""
    found = [name for name in LENGTHS if given.get(name)]
    if len(found) > 1:
        raise UsageError(
            f"{' and '.join(f'--{name}' for name in found)} were given; a run has one length: give one of them"
        )
    return {name: 0 for name in LENGTHS if found and name not in found}


def _with_model_of(init: str, values: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The model of the weights that a run begins with in place of the recipe's, unless one is given by name."""
    from attseg.training.first_weights import model_of

    if {"model.name", "model.args"} & given.keys():
        return values
    model = to_values(model_of(init))
    if model != values["model"]:
        chosen = {key: value for key, value in given.items() if key.startswith("model.args.")}
        told = put({"model": model}, chosen)["model"]
        args = ", ".join(f"{name}={value!r}" for name, value in told["args"].items())
        own = f"the {values['model']['name']} of {values['name']}"
        print(
            f"model: {model['name']}({args}), that of {init}{' with the changes given' if chosen else ''}, in place of {own}; "
            "--model.name and --model.args give another",
            file=sys.stderr,
        )
    return values | {"model": model}


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _base(name: str | None, out: Path | None, config: Path | None, *, resume: bool) -> tuple[dict[str, Any], str]:
    """The values to begin with, and where they come from."""
    if name is not None and not _is_file(name):
        return to_values(find_recipe(name)), f"recipe {name}"
    if name is not None:
        file = Path(name)
    elif config:
        file = config
    elif resume and out:
        file = out / "recipe.yaml"
        if not file.exists():
            raise UsageError(f"there is no run to resume in {out}: it has no recipe.yaml")
    else:
        raise UsageError(
            "no recipe was given; `attseg recipes` lists them, `attseg train pan-scenes` trains one without files"
        )
    return read_yaml(file), str(file)


def busy_hint(threads: int, cores: int, load: float) -> str | None:
    """Advice where other processes use the cores that several threads are to compute on; None where they are free.

    Args:
        threads: Threads of this process.
        cores: Cores of the machine.
        load: Processes that want a core, averaged over the last minute.

    Example:
        >>> busy_hint(2, 2, 1.1)
        '2 threads, and 1.1 of 2 cores are in use by others: OMP_NUM_THREADS=1 may be faster'
    """
    free = max(1, round(cores - load))
    if threads <= free:
        return None
    used = f"{min(load, cores):.1f} of {cores} cores are in use by others"
    return f"{threads} threads, and {used}: OMP_NUM_THREADS={free} may be faster"


def _train(recipe: Recipe, machine: Machine, out: Path, *, resume: bool) -> int:
    # Read when torch is loaded: threads that wait for others leave their core to other processes in place of spinning.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    from attseg.cli.output import progress_console
    from attseg.hub.sources import DEMO
    from attseg.runs.errors import Interrupted
    from attseg.training.run import train

    where = shlex.quote(str(out))
    if recipe.data.root:  # the run may be evaluated from elsewhere
        recipe = replace(recipe, data=replace(recipe.data, root=str(Path(recipe.data.root).expanduser().absolute())))
    if recipe.init and recipe.init != DEMO and Path(recipe.init).expanduser().exists():  # not a name on the hub
        recipe = replace(recipe, init=str(Path(recipe.init).expanduser().absolute()))
    console = progress_console()
    if hint := busy_hint(
        torch.get_num_threads(), os.cpu_count() or 1, os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    ):
        console.print(hint, markup=False, highlight=False)
    try:
        train(recipe, machine, out=out, resume=resume, console=console)
    except Interrupted as stop:
        raise Interrupted(f"{stop}: attseg train --resume --out {where}", stop.signal) from None
    if any(os.environ.get(rank, "0") != "0" for rank in RANKS):
        return 0
    report = read_json(out / "report.json")
    print(f"{out}: mIoU {100 * report['miou']:.2f} % on {recipe.data.val}, after step {report['step']}")
    print("next:")
    print(f"  attseg evaluate {where}")
    print(f"  attseg predict {where} PICTURES --out DIR")
    return 0
