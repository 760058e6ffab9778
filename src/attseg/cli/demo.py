"""``attseg demo``: everything once, offline, in about two minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from attseg.cli.options import WHOLE


def run(*, out: Path = Path("demo"), minutes: float = 2.0, seed: Annotated[int, WHOLE] = 0) -> int:
    """Train PAN and a network without attention on generated scenes, evaluate both, and write a page about them.

    The page shows images, scores and attention maps. Both networks train for the same time. Needs no files and no network.

    Args:
        out: Folder for all that is written.
        minutes: About how long it takes.
        seed: Seed of the weights and of the order of images.

    Examples:
        attseg demo
        attseg demo --minutes 10 --out longer
    """
    from attseg.cli.output import TerminalConsole
    from attseg.demo.run import run_demo

    run_demo(out, minutes=minutes, seed=seed, console=TerminalConsole())
    return 0
