"""``attseg doctor``: what is installed here, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from attseg.cli.parser import Parser

TEXT = """\
Say which packages, devices and how much space there are, and what to do where something is missing."""

EXAMPLES = ("attseg doctor", "attseg doctor --json")


def run(argv: Sequence[str]) -> int:
    """Print the report; 1 if attseg cannot work as it is."""
    parser = Parser("doctor", TEXT, EXAMPLES)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse(argv)

    from attseg.cli.output import print_table
    from attseg.doctor import examine

    lines = examine()
    if arguments.json:
        print(json.dumps({line.name: asdict(line) for line in lines}, indent=2))
    else:
        print_table(("", "found", "what to do"), [(line.name, line.value, line.hint) for line in lines])
    return 0 if all(line.ok for line in lines) else 1
