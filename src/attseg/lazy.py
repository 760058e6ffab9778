"""Public names of a package, imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from attseg.errors import unknown

Get = Callable[[str], Any]
Names = Callable[[], list[str]]


def lazy(package: str, homes: Mapping[str, str]) -> tuple[Get, Names]:
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


def lazy_from(package: str, module: str) -> tuple[Get, Names]:
    """The same for a package whose public names are the ``__all__`` of one of its modules, which is imported on first use.

    Args:
        package: ``__name__`` of the package.
        module: Its full name.
    """

    def get(name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        public = import_module(module)
        if name != "__all__" and name not in public.__all__:
            raise AttributeError(str(unknown(f"name in {package} called", name, public.__all__)), name=name)
        return getattr(public, name)

    return get, lambda: sorted(import_module(module).__all__)
