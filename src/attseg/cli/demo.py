"""``attseg demo``: everything once, offline, in about two minutes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attseg.cli.parser import Parser

TEXT = """\
Train PAN on generated scenes, train a network without attention for the same time, evaluate both, and
write a page with pictures, scores and attention maps. Needs no files and no network."""

EXAMPLES = ("attseg demo", "attseg demo --minutes 10 --out longer")


def run(argv: Sequence[str]) -> int:
    """Run the demo."""
    parser = Parser("demo", TEXT, EXAMPLES)
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="where everything goes (default: demo)"
    )
    parser.add_argument("--minutes", type=float, default=2.0, metavar="X", help="about how long it takes (default: 2)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of weights and order (default: 0)")
    arguments = parser.parse(argv)

    from attseg.cli.output import TerminalConsole
    from attseg.demo.run import run_demo

    run_demo(arguments.out, minutes=arguments.minutes, seed=arguments.seed, console=TerminalConsole())
    return 0
