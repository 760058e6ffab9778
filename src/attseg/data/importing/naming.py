"""Names of pictures in the new data set: those of the export, unlike each other, and valid on every system."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from attseg.data.importing.export import Entry
from attseg.data.importing.search import name_parts
from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.walk import is_hidden
from attseg.text import harmless

LONGEST = 180
"""Bytes of a part of a path; file systems take 255, and endings are added."""


def named(entries: Sequence[Entry], others: Collection[str] = ()) -> list[Entry]:
    """The entries with the names that their files get, and with the splits that stand in their first folders.

    Folders such as ``train`` and ``valid`` are splits where all pictures lie in one. Of two pictures whose names differ only in
    the suffix, or in what a file system does not tell apart, the second gets its suffix, its split or a number behind its name.

    Args:
        entries: Pictures.
        others: Names that are taken.
    """
    parts = [name_parts(entry.name) or ["picture"] for entry in entries]
    if all(
        len(those) > 1 and (split_name(those[0]) or entry.split) for entry, those in zip(entries, parts, strict=True)
    ):
        splits = [entry.split or split_name(those[0]) for entry, those in zip(entries, parts, strict=True)]
        parts = [those[1:] if split_name(those[0]) else those for those in parts]
    else:
        splits = [entry.split for entry in entries]
    taken = {name.casefold() for name in others}
    files: set[str] = set()
    found = []
    for entry, split, those in zip(entries, splits, parts, strict=True):
        *folders, last = those
        file = PurePosixPath(last)
        stem, suffix = (file.stem, file.suffix) if file.suffix.lower() in SUFFIXES else (last, "")
        name = "/".join(map(_valid, (*folders, stem)))
        ending = (
            suffix.lower().replace(".", "_") if f"{name}{suffix}".casefold() not in files else f"_{split}" * bool(split)
        )
        files.add(f"{name}{suffix}".casefold())
        name = _unlike(name, ending, taken)
        taken.add(name.casefold())
        found.append(replace(entry, name=name, split=split))
    return found


def _unlike(name: str, ending: str, taken: set[str]) -> str:
    for longer in (name, name + ending):
        if longer.casefold() not in taken:
            return longer
    number = 2
    while f"{name}_{number}".casefold() in taken:
        number += 1
    return f"{name}_{number}"


def _valid(part: str) -> str:
    r"""A part of a path that is visible and that every system takes.

    Example:
        >>> _valid(".a:b?"), _valid("Thumbs.db"), _valid("ü 1")
        ('_.a_b_', '_Thumbs.db', 'ü 1')
    """
    part = re.sub(r'[<>:"|?*\\\x00-\x1f]', "_", harmless(part)).rstrip(". ") or "_"
    if is_hidden(part):
        part = f"_{part}"
    if len(part.encode()) > LONGEST:
        digest = hashlib.blake2b(part.encode(), digest_size=4).hexdigest()
        part = part.encode()[: LONGEST - 10].decode("utf-8", "ignore") + f"-{digest}"
    return part


_NAMES = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "validate"),
    "test": ("test", "testing"),
}
_BY_NAME = {name: split for split, names in _NAMES.items() for name in names}


def split_name(text: str) -> str:
    """The split that a name alone stands for; empty for any other name.

    Example:
        >>> split_name("Valid"), split_name("ds0"), split_name("train2017")
        ('val', '', 'train')
    """
    return _BY_NAME.get(re.sub(r"(19|20)\d\d$", "", text.lower()), "")


def split_in(text: str) -> str:
    """The split that a part of a name stands for; empty where none or several do.

    Example:
        >>> split_in("instances_train2017"), split_in("my-val"), split_in("train_val"), split_in("trainee")
        ('train', 'val', '', '')
    """
    found = {split for part in re.split(r"[^A-Za-z0-9]+", text) if (split := split_name(part))}
    return found.pop() if len(found) == 1 else ""
