"""Optional dependencies: what each extra needs, and the command that installs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import requires

_MARKER = re.compile(r"extra == ['\"](.+?)['\"]")
_NESTED = re.compile(r"attseg\[(.+?)\]")


def requirements(extra: str | None = None) -> list[str]:
    """Dependencies of attseg or of one of its extras, such as ``uvicorn>=0.34``; nested extras are resolved.

    Example:
        >>> [requirement.partition(">=")[0] for requirement in requirements("app")]
        ['starlette', 'uvicorn']
    """
    return list(dict.fromkeys(_requirements(extra)))


def install_command(extra: str) -> str:
    """The pip command that installs an extra. It names the packages, and so works however attseg itself was installed.

    Example:
        >>> install_command("app").startswith("pip install 'starlette>=")
        True
    """
    return " ".join(["pip install", *(f"'{requirement}'" for requirement in requirements(extra))])


def _requirements(extra: str | None) -> Iterator[str]:
    for line in requires("attseg") or ():
        requirement, _, marker = line.partition(";")
        of = _MARKER.search(marker)
        if (of[1] if of else None) != extra:
            continue
        if nested := _NESTED.match(requirement):
            for name in nested[1].split(","):
                yield from _requirements(name.strip())
        else:
            yield requirement.strip()
