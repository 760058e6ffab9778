"""Public names of a package, imported when they are first used."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from attseg.errors import unknown

Get = Callable[[str], Any]
Names = Callable[[], list[str]]

_PUBLIC = re.compile(r"^    from ([\w.]+) import (\w+) as \2$", re.MULTILINE)


def lazy(package: str, own: str = "") -> tuple[Get, Names]:
    """``__getattr__`` and ``__dir__`` of a package that imports its public names on first use.

    The names stand once, where type checkers and editors read them too: in the source of the package, under ``TYPE_CHECKING``,
    in lines such as ``from attseg.losses.dice import dice_loss as dice_loss``. They are its ``__all__``. A name must not be that
    of a submodule: importing the submodule would hide it.

    Args:
        package: ``__name__`` of the package.
        own: Public names, separated by spaces, that it defines itself.

    Example:
        >>> get, names = lazy("attseg.inference")
        >>> get("load").__module__, names()
        ('attseg.inference.segmenter', ['Result', 'Segmenter', 'load'])
    """
    spec = find_spec(package)
    source = spec.loader.get_source(package) if spec is not None and spec.loader is not None else ""  # type: ignore[attr-defined] # of files
    modules = {name: module for module, name in _PUBLIC.findall(source or "")}
    public = sorted((*modules, *own.split()))

    def get(name: str) -> Any:
        if name == "__all__":
            return public
        if name.startswith("__") or name not in modules:
            raise AttributeError(str(unknown(f"name in {package} called", name, public)), name=name)
        return getattr(import_module(modules[name]), name)

    return get, lambda: public


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
