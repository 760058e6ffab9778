"""Splits pictures into train and val, or into folds: seeded, stratified by classes, and by groups that stay together.

Nothing depends on the order in which pictures are given, on the machine, or on a generator of random numbers: ties are broken by
a digest of the seed and the name.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import BinaryIO

from attseg.data.reading.content import read_content
from attseg.data.sample import DataError
from attseg.data.wording import few, plural
from attseg.errors import UsageError
from attseg.files import replacing
from attseg.text import csv_text

SPLIT_FILE = "splits.csv"
"""Usual name of a file that says which split each picture belongs to."""

BY_FOLDER = "folder"
"""The group of pictures that lie in one folder."""

MOST_BYTES = 2**28

Kind = int | str | None
"""A class; None is what pictures without a class have in common."""


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
        classes: The classes that occur in each; pictures without one are spread as those of a class are.
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
    kept: Mapping[str, int] | None = None,
) -> list[int]:
    """Assign each picture to one of several parts, so that each class is spread as the pictures are.

    Args:
        names: As of ``split_pictures``.
        classes: As of ``split_pictures``.
        shares: Share of the pictures of each part, or weights; equal ones for folds.
        seed: As of ``split_pictures``.
        group: As of ``split_pictures``.
        kept: Pictures that have their part already, such as those of an earlier split to which others were added. A new picture
            of a group goes where most of the group is.

    Returns:
        The part of each picture, 0..P-1. Every part has a picture.

    Raises:
        UsageError: There are fewer groups of pictures than parts.

    Source:
        Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011, algorithm 1: the rarest
        class first, each of its pictures to the part that lacks most pictures of the class; among equals, most pictures.

    Reading: The paper assigns examples one by one and breaks ties at random. A group counts as often as it has pictures of a
    class, and groups with more pictures of the class that is dealt with come first, since small ones even out what large ones
    leave. Pictures without a class, which the paper deals last, count as those of a class of their own, since a group may hold
    some beside others. A part that stays empty gets the smallest group of those that have several.

    Example:
        >>> assign_parts(["a", "b", "c", "d"], [{1}, {1}, {0}, {0}], (0.5, 0.5))  # each part gets one of each class
        [0, 1, 0, 1]
    """
    group_of = dict(zip(names, group_names(names, group), strict=True))
    present = {name: frozenset[Kind](kinds) or frozenset({None}) for name, kinds in zip(names, classes, strict=True)}
    groups = set(group_of.values())
    if len(groups) < len(shares):
        raise UsageError(_too_few(len(names), groups, len(shares), group))
    weights = _whole_numbers(shares)
    lacking = _Lacking.of(present, weights)
    found = {name: part for name, part in (kept or {}).items() if name in group_of}
    for name in sorted(found):
        lacking.take([present[name]], found[name])
    members: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: _digest(seed, name)):
        if name not in found:
            members.setdefault(group_of[name], []).append(name)
    homes = _homes(found, group_of)
    counts = {key: Counter(kind for name in inside for kind in present[name]) for key, inside in members.items()}
    left = sorted(members, key=lambda key: _digest(seed, key))
    remaining: Counter[Kind] = Counter()
    for key in left:
        remaining.update(counts[key])
    while left:
        kinds = (kind for kind, count in remaining.items() if count)
        rarest = min(kinds, key=lambda kind: (remaining[kind], str(kind)))
        dealt = [key for key in left if key in homes] or [key for key in left if counts[key][rarest] > 0]
        dealt.sort(key=lambda key: -counts[key][rarest])
        for key in dealt:
            part = homes.get(key, lacking.neediest(rarest, [_digest(seed, key, part) for part in range(len(shares))]))
            lacking.take([present[name] for name in members[key]], part)
            found.update(dict.fromkeys(members[key], part))
            remaining.subtract(counts[key])
        done = set(dealt)
        left = [key for key in left if key not in done]
    _fill_empty(found, group_of, len(shares), seed)
    return [found[name] for name in names]


@dataclass(frozen=True, eq=False)
class _Lacking:
    """Pictures, and pictures of each class, that each part still lacks, as multiples of 1 / ``whole``."""

    whole: int
    pictures: list[int]
    kinds: list[Counter[Kind]]

    @classmethod
    def of(cls, present: Mapping[str, Collection[Kind]], weights: Sequence[int]) -> _Lacking:
        totals = Counter(kind for kinds in present.values() for kind in kinds)
        kinds = [Counter({kind: count * weight for kind, count in totals.items()}) for weight in weights]
        return cls(sum(weights), [len(present) * weight for weight in weights], kinds)

    def neediest(self, kind: Kind, ties: Sequence[bytes]) -> int:
        """The part that lacks most pictures of a class, then most pictures."""
        return max(range(len(ties)), key=lambda part: (self.kinds[part][kind], self.pictures[part], ties[part]))

    def take(self, pictures: Sequence[Collection[Kind]], part: int) -> None:
        """Count pictures, by the classes in each, as those of a part."""
        self.pictures[part] -= self.whole * len(pictures)
        self.kinds[part].subtract(
            {kind: self.whole * count for kind, count in Counter(k for kinds in pictures for k in kinds).items()}
        )


def group_names(names: Sequence[str], group: str | None) -> list[str]:
    """The group of each picture.

    Args:
        names: Names of pictures, with ``/`` between folders.
        group: ``folder`` for the folder that a picture lies in; a regular expression whose match in the name is the group (its
            parts in brackets, if it has some), such as ``video_[0-9]+``; None for each picture by itself.

    Raises:
        UsageError: The expression is not valid, or does not match every name.

    Example:
        >>> group_names(["a_001", "a_002", "b_001"], "^([a-z]+)_")
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
    found = {name: pattern.search(name) for name in names}
    if others := sorted(name for name, match in found.items() if match is None):
        raise UsageError(
            f"the group {group!r} matches {'none' if len(others) == len(found) else f'{len(found) - len(others)}'} of "
            f"{len(found)} names, and not {few(others)}; an expression that matches every name was expected"
        )
    return ["/".join(part or "" for part in match.groups()) or match[0] for name in names if (match := found[name])]


def write_splits(file: BinaryIO, splits: Mapping[str, str]) -> None:
    """Write a split file: a header, then a row ``name,split`` a picture, sorted by name."""
    text = csv_text([("name", "split"), *sorted(splits.items())])
    file.write(text.encode("utf-8", "surrogateescape"))


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
            raise DataError(f"{path}, line {line}: {','.join(row)[:100]!r}; a name and a split were expected")
        if splits.setdefault(row[0], row[1].strip()) != row[1].strip():
            raise DataError(f"{path}, line {line}: {row[0]!r} stands there twice, in two splits")
    return splits


def _whole_numbers(shares: Sequence[float]) -> list[int]:
    """Whole numbers in the ratio of shares: decimals as they are written, so that sums are exact and equal shares tie."""
    fractions = [Fraction(str(share)).limit_denominator(10**6) for share in shares]
    whole = math.lcm(*(fraction.denominator for fraction in fractions))
    return [int(fraction * whole) for fraction in fractions]


def _homes(found: Mapping[str, int], group_of: Mapping[str, str]) -> dict[str, int]:
    """The part of most pictures of each group that has a part."""
    counts: dict[str, Counter[int]] = {}
    for name, part in found.items():
        counts.setdefault(group_of[name], Counter())[part] += 1
    return {key: min(count, key=lambda part: (-count[part], part)) for key, count in counts.items()}


def _fill_empty(found: dict[str, int], group_of: Mapping[str, str], count: int, seed: int) -> None:
    """Give each empty part the smallest group of a part that has several."""
    for empty in set(range(count)) - set(found.values()):
        members: dict[tuple[int, str], list[str]] = {}
        for name, part in found.items():
            members.setdefault((part, group_of[name]), []).append(name)
        groups = Counter(part for part, _ in members)
        spare = [key for key in members if groups[key[0]] > 1]
        if spare:  # none where a group of an earlier split was divided
            chosen = min(spare, key=lambda key: (len(members[key]), _digest(seed, key[1])))
            found.update(dict.fromkeys(members[chosen], empty))


def _digest(seed: int, name: str, part: int | None = None) -> bytes:
    text = f"{seed}:{name}" if part is None else f"{seed}:{part}:{name}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()


def _too_few(pictures: int, groups: Collection[str], parts: int, group: str | None) -> str:
    if group is None or pictures < parts:
        return f"{plural(pictures, 'picture')} cannot be split into {parts} parts; each needs one at least"
    what = "lie in one folder" if group == BY_FOLDER else f"are one group by {group!r}"
    if len(groups) > 1:
        what = f"are {len(groups)} groups by {group!r}"
    return f"the pictures {what}, which cannot be split into {parts} parts; choose another group, or leave it out"
