"""Which names never count as data: hidden files, and what operating systems, network disks and notebooks leave behind."""

from __future__ import annotations

from collections.abc import Iterable

LEFTOVERS = frozenset(
    (
        "$recycle.bin",
        "#recycle",
        "#snapshot",
        "@eadir",
        "@recycle",
        "@recently-snapshot",
        "@tmp",
        "__macosx",
        "desktop.ini",
        "ehthumbs.db",
        "icon\r",
        "lost+found",
        "recycler",
        "system volume information",
        "thumbs.db",
    )
)
"""Names, in lower case, that begin with no dot: of Windows, macOS, Linux, and the NAS systems of Synology and QNAP."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is skipped wherever folders are searched for data.

    The rule is about names below the folder that was given: that folder, and a file that is named itself, are taken as they are.

    Args:
        name: The last part of a path.

    Example:
        >>> [is_hidden(name) for name in (".ipynb_checkpoints", "._001.jpg", "@eaDir", "Thumbs.db", "001.jpg")]
        [True, True, True, True, False]
    """
    return name.startswith(".") or name.casefold() in LEFTOVERS


def visible(names: Iterable[str]) -> list[str]:
    """The names that are not hidden, in their order."""
    return [name for name in names if not is_hidden(name)]
