"""Splits pictures into train and val, or into folds: seeded, stratified by classes, and by groups that stay together."""

from __future__ import annotations

import csv
import random
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import BinaryIO

from attseg.data.reading.content import read_content
from attseg.data.sample import DataError
from attseg.errors import UsageError
from attseg.files import replacing

SPLIT_FILE = "splits.csv"
"""Usual name of a file that says which split each picture belongs to."""

BY_FOLDER = "folder"
"""The group of pictures that lie in one folder."""

MOST_BYTES = 2**28


def split_pictures(
    names: Sequence[str],
    classes: Sequence[Collection[int | str]],
    share: float = 0.8,
    *,
    seed: int = 0,
    group: str | None = None,
) -> dict[str, str]:
    """Split pictures into ``train`` and ``val``.

    Args:
        names: Names of pictures, with ``/`` between folders.
        classes: The classes that occur in each.
        share: Share of the pictures that is trained on, between 0 and 1.
        seed: Of the choice among equals. The result depends on the set of names, and not on their order.
        group: Pictures of a group stay together; see ``group_names``.

    Returns:
        The split of each name. Both splits have pictures.

    Raises:
        UsageError: The share is not between 0 and 1, or the pictures are one group, which cannot be split.

    Example:
        >>> names = [f"{video}/{frame}" for video in "abcde" for frame in range(4)]
        >>> splits = split_pictures(names, [{0, 1}] * 20, 0.8, group="folder")
        >>> sorted(splits.values()).count("val"), len({name[0] for name in names if splits[name] == "val"})
        (4, 1)
    """
    if not 0 < share < 1:
        raise UsageError(f"the share for training is {share:g}; a number between 0 and 1 was expected, such as 0.8")
    parts = assign_parts(names, classes, (share, 1 - share), seed=seed, group=group)
    return {name: ("train", "val")[part] for name, part in zip(names, parts, strict=True)}


def assign_parts(
    names: Sequence[str],
    classes: Sequence[Collection[int | str]],
    shares: Sequence[float],
    *,
    seed: int = 0,
    group: str | None = None,
) -> list[int]:
    """Assign each picture to one of several parts, so that each class is spread as the pictures are.

    The class that is left in the fewest pictures goes first, and each group of pictures to the part that lacks most of it.

    Args:
        names: As of ``split_pictures``.
        classes: As of ``split_pictures``.
        shares: Share of the pictures of each part; equal ones for folds.
        seed: As of ``split_pictures``.
        group: As of ``split_pictures``.

    Returns:
        The part of each picture, 0..P-1. Every part has a picture.

    Raises:
        UsageError: There are fewer groups of pictures than parts.

    Source:
        Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011, algorithm 1. Reading: where
        pictures stay together, a group counts with the number of its pictures in which a class occurs, and larger groups
        go first.

    Example:
        >>> assign_parts(["a", "b", "c", "d"], [{1}, {1}, {0}, {0}], (0.5, 0.5))  # each part gets one of each class
        [0, 1, 0, 1]
    """
    keys = group_names(names, group)
    counts: dict[str, Counter[int | str]] = {key: Counter() for key in sorted(set(keys))}
    sizes = Counter(keys)
    for key, present in zip(keys, classes, strict=True):
        counts[key].update(set(present))
    if len(counts) < len(shares):
        raise UsageError(_too_few(len(names), counts, len(shares), group))
    order = list(counts)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda key: -sizes[key])
    whole = sum(shares)
    totals = sum(counts.values(), Counter())
    lacking = [Counter({kind: share / whole * total for kind, total in totals.items()}) for share in shares]
    room = [share / whole * len(names) for share in shares]
    parts: dict[str, int] = {}
    while len(parts) < len(order):
        left = [key for key in order if key not in parts]
        remaining = sum((Counter(dict.fromkeys(counts[key], 1)) for key in left), Counter())
        rarest = min(remaining, key=lambda kind: (remaining[kind], str(kind)), default=None)
        for key in left if rarest is None else [key for key in left if rarest in counts[key]]:
            part = max(
                range(len(shares)), key=lambda part: (lacking[part][rarest] if rarest is not None else 0, room[part])
            )
            parts[key] = part
            room[part] -= sizes[key]
            lacking[part].subtract(counts[key])
    _fill_empty(parts, order, sizes, len(shares))
    return [parts[key] for key in keys]


def group_names(names: Sequence[str], group: str | None) -> list[str]:
    """The group of each picture.

    Args:
        names: Names of pictures, with ``/`` between folders.
        group: ``folder`` for the folder that a picture lies in; a regular expression whose match in the name is the group (its
            parts in brackets, if it has some), such as ``video_[0-9]+``; None for each picture by itself.

    Raises:
        UsageError: The expression is not valid, or matches none of the names.

    Example:
        >>> group_names(["a_001", "a_002", "b"], "^([a-z]+)_")
        ['a', 'a', 'b']
    """
    if group is None:
        return list(names)
    if group == BY_FOLDER:
        return [name.rpartition("/")[0] for name in names]
    try:
        pattern = re.compile(group)
    except re.error as error:
        raise UsageError(
            f"the group {group!r} is no regular expression ({error}); 'folder', or one such as 'video_[0-9]+' was expected"
        ) from None
    found = [pattern.search(name) for name in names]
    if not any(found):
        raise UsageError(f"the group {group!r} matches none of the names, such as {names[0] if names else ''!r}")
    return [
        ("/".join(part or "" for part in match.groups()) or match[0]) if match else name
        for match, name in zip(found, names, strict=True)
    ]


def write_splits(file: BinaryIO, splits: Mapping[str, str]) -> None:
    """Write a split file: a header, then a row ``name,split`` a picture, sorted by name."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("name", "split"))
    writer.writerows(sorted(splits.items()))
    file.write(text.getvalue().encode("utf-8", "surrogateescape"))


def save_splits(path: Path, splits: Mapping[str, str]) -> None:
    """The same, in the place of what was there before."""
    with replacing(path) as file:
        write_splits(file, splits)


def read_splits(path: Path) -> dict[str, str]:
    """The split of each picture in a file that ``write_splits`` wrote, or a person.

    Raises:
        DataError: There is no such file, or it is not as described.
    """
    content = read_content(path, most=MOST_BYTES, what="a list of pictures")
    rows = list(csv.reader(StringIO(content.decode("utf-8-sig", "surrogateescape"), newline="")))
    if not rows or [cell.strip().lower() for cell in rows[0]] != ["name", "split"]:
        raise DataError(f"{path} does not begin with the line 'name,split', which a split file has")
    splits: dict[str, str] = {}
    for line, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) != 2 or not row[0] or not row[1].strip():
            raise DataError(f"{path}, line {line}: {few_cells(row)}; a name and a split were expected")
        if splits.setdefault(row[0], row[1].strip()) != row[1].strip():
            raise DataError(f"{path}, line {line}: {row[0]!r} stands there twice, in two splits")
    return splits


def few_cells(row: Iterable[str]) -> str:
    """A row of a table in a message."""
    return repr(",".join(row)[:100])


def _fill_empty(parts: dict[str, int], order: Sequence[str], sizes: Mapping[str, int], count: int) -> None:
    """Move the smallest group of the part with the most groups to each part that has none."""
    for part in range(count):
        if part not in parts.values():
            groups = Counter(parts.values())
            largest = max(groups, key=lambda other: groups[other])
            parts[min((key for key in order if parts[key] == largest), key=lambda key: sizes[key])] = part


def _too_few(pictures: int, groups: Collection[str], parts: int, group: str | None) -> str:
    if group is None or pictures < parts:
        return f"{pictures} pictures cannot be split into {parts} parts; each needs one at least"
    what = "lie in one folder" if group == BY_FOLDER else f"are one group by {group!r}"
    if len(groups) > 1:
        what = f"are {len(groups)} groups by {group!r}"
    return f"the pictures {what}, which cannot be split into {parts} parts; choose another --group, or leave it out"
