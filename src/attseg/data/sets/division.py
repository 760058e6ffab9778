"""Options that divide the pictures of a folder into splits: ``split``, ``fold``, ``group`` and ``seed``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from attseg.data.classes import IGNORE, ClassTable
from attseg.data.reading.color_labels import ColorValues, read_color_labels
from attseg.data.reading.image import read_raw_labels
from attseg.data.sample import DataError
from attseg.data.sets.survey import Problem, Survey
from attseg.data.splitting import assign_parts, read_splits
from attseg.data.wording import few, plural
from attseg.errors import UsageError
from attseg.files import stamp_of

Meaning = tuple[ClassTable, ColorValues | None]

EXPECTED = (
    "the share to train on, such as 0.8, three shares for train, val and test, such as 0.7,0.15,0.15, or a .csv file of names "
    "and splits was expected"
)


@dataclass(frozen=True)
class Division:
    """How pictures are divided.

    Args:
        names: Of the splits.
        shares: Share of each; of a fold, those of all folds.
        fold: The fold that is ``val``, counted from 0, where there are folds.
        group: As of ``group_names``.
        seed: Of the choice among equals.
        file: A file that says the split of each picture; the shares are not used then.
    """

    names: tuple[str, ...] = ("train", "val")
    shares: tuple[float, ...] = ()
    fold: int | None = None
    group: str | None = None
    seed: int = 0
    file: Path | None = None

    @classmethod
    def of(cls, root: Path, given: Mapping[str, Any]) -> Division | None:
        """The division that options state; None where they state none.

        Raises:
            UsageError: An option is not as it must be.
            DataError: A file of splits cannot be read.
        """
        split, fold, group, seed = (given.get(name) for name in ("split", "fold", "group", "seed"))
        if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
            raise UsageError(f"seed is {seed!r}; a whole number was expected")
        if split is None and fold is None:
            if group is not None or seed is not None:
                raise UsageError(
                    f"{'seed' if group is None else 'group'} has no effect without split or fold; add split 0.8"
                )
            return None
        if split is not None and fold is not None:
            raise UsageError(
                "split and fold were both given; fold 2/5 divides into five and takes the second as val: give one"
            )
        if group is not None and not isinstance(group, str):
            raise UsageError(f"group is {group!r}; folder, or a regular expression in quotes, was expected")
        if fold is not None:
            match = re.fullmatch(r"(\d{1,3})/(\d{1,3})", str(fold))
            number, count = (int(match[1]), int(match[2])) if match else (0, 0)
            if not 1 <= number <= count or count < 2:
                raise UsageError(f"fold is {fold!r}; a fold of several, such as 2/5, was expected")
            return cls(shares=(1.0,) * count, fold=number - 1, group=group, seed=seed or 0)
        assert split is not None
        if isinstance(split, str):
            if split.lower().endswith(".csv"):
                file = _find(root, split)
                return cls(_ordered(read_splits(file).values()), file=file)
            raise UsageError(f"split is {split!r}; {EXPECTED}")
        shares = tuple(split) if isinstance(split, list | tuple) else (split, 1 - split) if _is_share(split) else ()
        if len(shares) not in (2, 3) or not all(map(_is_share, shares)) or abs(sum(shares) - 1) > 1e-6:
            raise UsageError(f"split is {split!r}; {EXPECTED}")
        if not isinstance(split, list | tuple):
            shares = (split, round(1 - split, 9))
        return cls(("train", "val", "test")[: len(shares)], shares, group=group, seed=seed or 0)

    def divide(
        self, whole: Survey, meaning: Callable[[], Meaning], *, kept: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The split of each picture.

        Args:
            whole: All pictures; label files are read, for the classes in each.
            meaning: Called where label files are read: the classes, and what colours stand for where these are read.
            kept: Pictures that have their split already.

        Raises:
            UsageError: The pictures cannot be divided so.
            DataError: A file of splits cannot be read.
        """
        if self.file is not None:
            return read_splits(self.file)
        names = [pair.name for pair in whole.pairs]
        present = classes_in([pair.labels for pair in whole.pairs], *meaning())
        before = {name: self.names.index(split) for name, split in (kept or {}).items()}
        parts = assign_parts(names, present, self.shares, seed=self.seed, group=self.group, kept=before)
        if self.fold is None:
            return {name: self.names[part] for name, part in zip(names, parts, strict=True)}
        return {name: "val" if part == self.fold else "train" for name, part in zip(names, parts, strict=True)}

    def survey(self, whole: Survey, assigned: Mapping[str, str], split: str) -> Survey:
        """The survey of one split."""
        mine = {name for name, other in assigned.items() if other == split}
        pairs = [pair for pair in whole.pairs if pair.name in mine]
        pictures = [picture for picture in whole.pictures if picture.name in mine]
        problems, remarks = list(whole.problems), list(whole.remarks)
        if self.file is not None:
            known = {picture.name for picture in whole.pictures}
            if missing := sorted(mine - known):
                problems.append(
                    Problem(
                        f"{self.file} lists {plural(len(missing), 'picture')} of {split} not found there: {few(missing)}; to "
                        "divide this folder anew, say so: --data.options.split 0.8",
                        self.file,
                    )
                )
            if new := sorted(known - assigned.keys()):
                remarks.append(f"{plural(len(new), 'picture')} that {self.file} does not list left out: {few(new)}")
        elif split == self.names[0]:
            remarks.append(self.describe(assigned))
        return replace(whole, pictures=pictures, pairs=pairs, problems=problems, remarks=remarks)

    def describe(self, assigned: Mapping[str, str]) -> str:
        """How the pictures were divided, in a sentence."""
        counts = [f"{sum(other == name for other in assigned.values())} {name}" for name in self.names]
        how = (
            f"fold {self.fold + 1} of {len(self.shares)} is val"
            if self.fold is not None
            else "divided by the option split"
        )
        groups = f", groups by {self.group!r} together" if self.group else ""
        return f"{how}: {', '.join(counts)}; stratified by the classes in each picture{groups}, seed {self.seed}"


def classes_in(files: Sequence[Path], classes: ClassTable, colors: ColorValues | None) -> list[frozenset[int]]:
    """The classes that occur in each label file; none in one that cannot be read, which is told when it is read for use."""
    lookup = classes.lookup.tobytes()

    def look(file: Path) -> frozenset[int]:
        return _present(file, tuple(stamp_of(file)), colors, lookup)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(look, files))


@lru_cache(maxsize=2**18)
def _present(file: Path, stamp: tuple[int, ...], colors: ColorValues | None, lookup: bytes) -> frozenset[int]:
    """The classes in a label file by the bytes of their table's ``lookup``, read once for all splits."""
    table = np.frombuffer(lookup, np.int16)
    try:
        values = np.unique((read_raw_labels(file) if colors is None else read_color_labels(file, colors)).values)
    except (DataError, OSError):
        return frozenset()
    known = values[(values >= 0) & (values < len(table))]
    return frozenset(int(label) for label in table[known] if 0 <= label != IGNORE)


def _find(root: Path, split: str) -> Path:
    """The file of splits: below the root, or else from where the command is given."""
    path = Path(split).expanduser()
    return root / path if not path.is_absolute() and (root / path).is_file() else path


def _ordered(splits: Any) -> tuple[str, ...]:
    found = set(splits)
    usual = [split for split in ("train", "val", "test") if split in found]
    return (*usual, *sorted(found - set(usual)))


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1
