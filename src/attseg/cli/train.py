"""``attseg train``: a recipe, changed as wanted, becomes a run folder."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from attseg.cli.options import File, Folder
from attseg.cli.output import tell
from attseg.cli.settings import with_settings
from attseg.console import progress_console
from attseg.errors import UsageError
from attseg.json_files import read_json
from attseg.recipes.choice import choose
from attseg.recipes.files import to_yaml
from attseg.recipes.recipe import Machine, ModelSpec, Recipe, check_new_name
from attseg.recipes.values import settings

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK")
"""Variables that number the processes of a run; the first one alone speaks."""

LABELS = ("source", "expected_miou", "protocol")
"""Settings of a recipe that change nothing about a run."""


@with_settings(
    ("Settings of the recipe", (setting for setting in settings(Recipe) if setting.key not in LABELS)),
    ("Settings of the machine", settings(Machine, "machine")),
)
def run(
    recipe: str | None = None,
    /,
    *,
    out: Folder = None,
    resume: bool = False,
    config: File = None,
    print_config: bool = False,
    given: dict[str, Any],
) -> int:
    """Train a recipe.

    Every setting of the recipe and of the machine has an option. Settings that you do not give keep the recipe's values.

    The run folder gets the settings (recipe.yaml), the weights (best.safetensors, last.safetensors), the log (metrics.csv,
    curves.png), the result (report.json, confusion.png, samples.png), and the state that --resume continues from. Ctrl-C and
    SIGTERM save before they stop the run.

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
        attseg train pan-camvid --print-config > my.yaml         edit it, and then
        attseg train my.yaml                                     run it
        attseg train pan-camvid --config changes.yaml            a file that holds only what differs
        attseg train --resume runs/first                         continue a run that was stopped
        attseg train --resume runs/first --steps 40000           go on for longer
        attseg train pan-folder --data.root ~/mine --init runs/first --freeze encoder --minutes 30
    """
    if resume and out is None and recipe and Path(recipe).is_dir():
        out, recipe = Path(recipe), None  # attseg train --resume RUN
    if recipe is None and config is None:
        if not (resume and out):
            raise UsageError(
                "no recipe was given; `attseg recipes` lists them, `attseg train pan-scenes` trains one without files"
            )
        if not (kept := out / "recipe.yaml").exists():
            raise UsageError(f"there is no run to resume in {out}: it has no recipe.yaml")
        recipe = str(kept)
    choice = choose(recipe, changes=config, given=given, model_of=None if resume else _model_of)
    if choice.note:
        tell(choice.note)
    if not resume:
        check_new_name(choice.recipe.name)
    if print_config:
        sys.stdout.write(to_yaml(choice.recipe, choice.machine))
        return 0
    return _train(choice.recipe, choice.machine, out or Path("runs", choice.recipe.name), resume=resume)


def _model_of(init: str) -> ModelSpec:
    from attseg.training.first_weights import model_of

    return model_of(init)


def _train(recipe: Recipe, machine: Machine, out: Path, *, resume: bool) -> int:
    # Read when torch is loaded: threads that wait for others leave their core to other processes in place of spinning.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    from attseg.runs.errors import Interrupted
    from attseg.training.first_weights import anchored
    from attseg.training.run import train

    where = shlex.quote(str(out))
    try:
        train(anchored(recipe), machine, out=out, resume=resume, console=progress_console())
    except Interrupted as stop:
        raise Interrupted(f"{stop}: attseg train --resume --out {where}", stop.signal) from None
    if any(os.environ.get(rank, "0") != "0" for rank in RANKS):
        return 0
    report = read_json(out / "report.json")
    print(f"{out}: mIoU {100 * report['miou']:.2f} % on {recipe.data.val}, after step {report['step']}")
    print(f"next:\n  attseg evaluate {where}\n  attseg predict {where} PICTURES --out DIR")
    return 0
