"""Where the folders of a split lie below the root of a data set, and what to say where they do not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path

from attseg.data.sample import DataError
from attseg.data.wording import plural

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Layout:
    """One way to arrange splits.

    Args:
        images: Folder of the pictures of a split, below the root; ``{}`` stands for the split.
        labels: Folder of its label files.
        files: Further files in the root that belong to it.

    Example:
        >>> Layout("images/{}", "labels/{}").folders(Path("data"), "val")[1].as_posix()
        'data/labels/val'
    """

    images: str
    labels: str
    files: tuple[str, ...] = ()

    def folders(self, root: Path, split: str) -> tuple[Path, Path]:
        """The folders of a split's pictures and label files, whether they exist or not."""
        return root / self.images.format(split), root / self.labels.format(split)

    def splits(self, root: Path) -> list[str]:
        """Splits that exist: the usual ones first, then others that have labels."""
        parent = (root / self.images).parent
        found = sorted(entry.name for entry in _entries(parent) if entry.is_dir())
        usual = [split for split in SPLITS if split in found]
        return usual + [split for split in found if split not in SPLITS and self.folders(root, split)[1].is_dir()]

    def tree(self, split: str) -> list[str]:
        """The folders of a split and further files, line by line."""
        return [f"{self.images.format(split)}/*.jpg", f"{self.labels.format(split)}/*.png", *self.files]


def existing_splits(root: Path, layouts: Sequence[Layout]) -> dict[str, Layout]:
    """The splits below ``root``, each with the layout in which it was found; an earlier layout wins."""
    return {split: layout for layout in reversed(layouts) for split in layout.splits(root)}


def find_split(root: Path, split: str, layouts: Sequence[Layout], *, title: str) -> tuple[Path, Path]:
    """The folders of a split's pictures and label files.

    Args:
        root: Folder of the data set.
        split: Name of the split.
        layouts: Arrangements that the data set may have.
        title: What the data set is called, for messages.

    Raises:
        DataError: There is no such folder or split, or the split has no labels.
    """
    if not root.is_dir():
        raise DataError(f"there is no folder {root}; give the one in which {title} lies (--data.root DIR)")
    for layout in layouts:
        images, labels = layout.folders(root, split)
        if images.is_dir() and labels.is_dir():
            return images, labels
    existing = existing_splits(root, layouts)
    if not any(layout.folders(root, name)[1].is_dir() for name, layout in existing.items()):
        raise DataError(f"{root} does not look like {title}:\n{compare_trees(root, split, layouts)}")
    if split in existing:
        images, labels = existing[split].folders(root, split)
        raise DataError(
            f"the split {split!r} has pictures ({images}) but no labels: {labels} does not exist. Training and evaluation need "
            "labels; to predict, give the folder of the pictures instead"
        )
    near = get_close_matches(split, existing, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise DataError(f"{root} has no split {split!r}{hint} It has: {', '.join(existing)}")


def compare_trees(root: Path, split: str, layouts: Sequence[Layout]) -> str:
    """What a split is expected to look like beside what the folder holds, as columns of text."""
    expected = [["expected" if not index else "or", *layout.tree(split)] for index, layout in enumerate(layouts)]
    columns = [*expected, ["found", *_listing(root)]]
    widths = [max(map(len, column)) for column in columns]
    rows = zip_longest(*columns, fillvalue="")
    return "\n".join(
        "  " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _listing(folder: Path, most: int = 8) -> list[str]:
    """Names in a folder, folders first and with what they hold."""
    entries = sorted(_entries(folder), key=lambda entry: (not entry.is_dir(), entry.name))
    lines = [f"{entry.name}/ {_contents(entry)}" if entry.is_dir() else entry.name for entry in entries[:most]]
    if len(entries) > most:
        lines.append(f"and {len(entries) - most} more")
    return lines or ["(nothing)"]


def _contents(folder: os.DirEntry[str]) -> str:
    inside = [entry.is_dir() for entry in _entries(Path(folder.path))]
    return f"({plural(sum(inside), 'folder')}, {plural(len(inside) - sum(inside), 'file')})"


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]
