"""``attseg doctor``: what is installed here, and what is missing."""

from __future__ import annotations

from dataclasses import asdict

from attseg.cli.options import Json
from attseg.text import TextTable


def run(*, json: Json = False) -> int:
    """Show which packages and devices are found, how much space there is, and what to do where something is missing.

    The exit status is 1 if attseg cannot work as it is.

    Examples:
        attseg doctor
        attseg doctor --json
    """
    from attseg.cli.output import print_result
    from attseg.doctor import examine

    lines = examine()
    table = TextTable(("", "found", "what to do"), [(line.name, line.value, line.hint) for line in lines])
    print_result({line.name: asdict(line) for line in lines}, [table], json=json)
    return 0 if all(line.ok for line in lines) else 1
