"""Public names of a package, imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from attseg.errors import unknown


def lazy(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package that imports its public names on first use.

    The package also lists the names in ``__all__`` and imports them under ``TYPE_CHECKING``, for type checkers and editors. A
    name must not be that of a submodule: importing the submodule would hide it.

    Args:
        package: ``__name__`` of the package.
        homes: Names, separated by spaces, by the module that defines them.

    Example:
        >>> get, names = lazy("attseg.losses", {"attseg.losses.dice": "dice_loss"})
        >>> get("dice_loss").__name__, names()
        ('dice_loss', ['dice_loss'])
    """
    modules = {name: module for module, names in homes.items() for name in names.split()}

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(str(unknown(f"name in {package} called", name, modules)), name=name)
        return getattr(import_module(modules[name]), name)

    return get, lambda: sorted(modules)
