"""``attseg demo``: everything once, offline, in about two minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from attseg.cli.options import WHOLE, data_settings
from attseg.cli.settings import with_settings
from attseg.errors import UsageError
from attseg.recipes.nested import put
from attseg.recipes.recipe import DataSpec


@with_settings(("Settings of the data set, with --data", [*data_settings("train", "val", "options")]))
def run(
    *,
    out: Annotated[Path, Parameter(metavar="DIR")] = Path("demo"),
    data: Annotated[str | None, Parameter(metavar="DIR")] = None,
    minutes: Annotated[float | None, Parameter(metavar="X")] = None,
    seed: Annotated[int, WHOLE] = 0,
    given: dict[str, Any],
) -> int:
    """Train PAN and a network without attention on generated scenes, evaluate both, and write a page about them.

    The page shows images, scores and attention maps. Both networks train for the same time. Needs no files and no network.

    With --data, one network is trained on a folder of your own, from pretrained weights if they are installed or can be
    downloaded. The page shows how it learned, and its predictions, errors and attention on pictures that it was not trained on.

    Args:
        out: Folder for the page and the runs.
        data: Train on a folder of your own that attseg data check can read, instead of the scenes.
        minutes: About how many minutes it takes (default: 2, with --data 5).
        seed: Seed of the weights and of the order of images.

    Examples:
        attseg demo
        attseg demo --minutes 10 --out longer
        attseg demo --data ~/mine --minutes 5 --out mine
    """
    from attseg.console import TerminalConsole
    from attseg.demo.run import run_demo

    options = put({}, given).get("data", {})
    if data is not None:
        from attseg.demo.own import run_own_demo

        spec = DataSpec(name="folder", root=str(Path(data).expanduser().absolute()), **options)
        run_own_demo(spec, out, minutes=5.0 if minutes is None else minutes, seed=seed, console=TerminalConsole())
        return 0
    if given:
        raise UsageError(
            f"{', '.join(f'--{name}' for name in given)}: of your own data, which --data DIR names; add it"
        )
    run_demo(out, minutes=2.0 if minutes is None else minutes, seed=seed, console=TerminalConsole())
    return 0
