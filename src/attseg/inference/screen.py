"""Shows a figure in a notebook or a window, or saves it where there is no screen."""

from __future__ import annotations

from pathlib import Path

from matplotlib import get_backend
from matplotlib import pyplot as plt
from matplotlib.backends.registry import BackendFilter, backend_registry
from matplotlib.figure import Figure

from attseg.written import outputs


def show_figure(figure: Figure, name: str) -> None:
    """Show a figure, or save it as ``NAME.png`` in the current folder and print where, if matplotlib has no screen.

    Args:
        figure: A figure of pyplot; closed once it is saved.
        name: Name of the file, without the suffix.

    Raises:
        UsageError: There is such a file that attseg did not write.
    """
    if get_backend().lower() not in backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE):
        plt.show()
        return
    path = Path.cwd() / f"{name}.png"
    try:
        with outputs(path):
            figure.savefig(path)
    finally:
        plt.close(figure)
    print(f"no screen: saved as {path}")
