"""Which folders hold predictions, so that these are never taken for pictures unasked."""

from __future__ import annotations

import os
from pathlib import Path

RESULTS = ("labels", "overlays")
"""Folders that predictions are written to, in a folder with a manifest."""


class Results:
    """Where predictions are written: the folders ``labels`` and ``overlays`` of a folder, wherever links lead.

    Args:
        folder: The folder, which need not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places = [(folder / name).resolve() for name in RESULTS]

    def hold(self, path: Path) -> bool:
        """Whether a file or folder is among them."""
        resolved = path.resolve()
        return any(resolved.is_relative_to(place) for place in self._places)


def links_into(entry: os.DirEntry[str], results: Results | None) -> bool:
    """Whether a file is a link to one of them."""
    return results is not None and entry.is_symlink() and results.hold(Path(entry.path))


def is_manifest(name: str) -> bool:
    """Whether a file's name is that of a manifest of predictions."""
    return name.startswith("manifest") and name.endswith(".jsonl")


def are_results(folder: Path, root: Path) -> bool:
    """Whether a folder lies below the root of a pattern in a folder of predictions that has a manifest."""
    places = [folder, *folder.parents]
    below = places[: places.index(root)] if root in places else []
    return any(
        place.name in RESULTS and any(is_manifest(entry.name) for entry in place.parent.iterdir()) for place in below
    )


def results_around(root: Path) -> Path | None:
    """The folder of predictions, with a manifest beside it, that a path without links lies in or is."""
    for place in (root, *root.parents):
        if (
            place.name in RESULTS
            and place.is_dir()
            and any(is_manifest(entry.name) for entry in place.parent.iterdir())
        ):
            return place
    return None
