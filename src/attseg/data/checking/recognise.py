"""Recognises how a folder of pictures and label files is arranged, and says the options that read it where it lies."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from attseg.data.checking.candidates import Options, find_candidates
from attseg.data.reading.inputs import SUFFIXES
from attseg.data.reading.walk import entries, walk
from attseg.data.sample import DataError
from attseg.data.sets.arrangement import WHOLE, Arrangement
from attseg.data.sets.survey import Survey
from attseg.data.wording import plural
from attseg.errors import UsageError

MOST_FILES = 300_000
"""Files below a folder up to which it is looked through: somebody may name a whole disk."""


@dataclass(frozen=True)
class Recognised:
    """An arrangement that was recognised.

    Args:
        options: Options of the data set that read it.
        splits: Splits and how many pairs each has.
        problems: What is wrong with it nevertheless.
        left_out: Picture files below the folder that are not read.
    """

    options: Options
    splits: dict[str, int]
    problems: list[str] = field(default_factory=list)
    left_out: int = 0

    @property
    def pairs(self) -> int:
        """Pictures with labels."""
        return sum(self.splits.values())

    @property
    def arguments(self) -> str:
        """The options as they are typed."""
        return arguments(self.options)

    def describe(self) -> str:
        """The finding in a sentence."""
        splits = ", ".join(f"{split} ({count})" for split, count in self.splits.items())
        seen = f"{plural(self.pairs, 'picture')} with labels" + ("" if [*self.splits] == [WHOLE] else f" in {splits}")
        return seen + f"; {plural(self.left_out, 'other picture file')} not read" * bool(self.left_out)


def arguments(options: Mapping[str, Any]) -> str:
    """Options of a data set as they are typed.

    Example:
        >>> arguments({"labels": "{stem}_mask.png", "split": 0.8})
        "--data.options.labels '{stem}_mask.png' --data.options.split 0.8"
    """
    texts = {name: ",".join(map(str, v)) if isinstance(v, list | tuple) else str(v) for name, v in options.items()}
    return " ".join(f"--data.options.{name} {shlex.quote(text)}" for name, text in texts.items())


def recognise(root: Path) -> list[Recognised]:
    """The arrangements that a folder may have.

    Returns:
        The best one; several where they read other pairs and nothing tells which is meant; none where nothing was recognised.
    """
    if is_endless(root):
        return []
    candidates = [*find_candidates(root)]
    subfolders = sorted(entry.name for entry in entries(root) if entry.is_dir())
    inside = {name: _tried(root / name, find_candidates(root / name)) for name in subfolders}
    kinds: dict[str, list[str]] = {}
    for name, found in inside.items():
        if found:
            kinds.setdefault(arguments(found[0].options), []).append(name)
    candidates += [
        {"roots": ",".join(names), **inside[names[0]][0].options} for names in kinds.values() if len(names) > 1
    ]
    return _tried(root, candidates)


def is_endless(root: Path) -> bool:
    """Whether more files lie below a folder than are looked through."""
    count = 0
    for _, names in walk(root):
        count += len(names)
        if count > MOST_FILES:
            return True
    return False


def _tried(root: Path, candidates: Iterable[Options]) -> list[Recognised]:
    """The candidates that read most pairs; several where they read the same pictures with other label files."""
    results: list[tuple[Recognised, set[tuple[Path, Path]]]] = []
    for options in candidates:
        try:
            result, pairs = _try(root, options)
        except (DataError, UsageError):
            continue
        same = [at for at, (_, other) in enumerate(results) if other == pairs]
        if same and results[same[0]][0].problems and not result.problems:
            results[same[0]] = result, pairs
        elif pairs and not same:
            results.append((result, pairs))
    # half of the pairs without a problem are as good as all with some
    results.sort(key=lambda each: (len(each[1]) * (-1 if each[0].problems else -2), "lists" not in each[0].options))
    if not results:
        return []
    best, pairs = results[0]
    files = {file for pair in pairs for file in pair}
    seen = {path / name for path, names in walk(root) for name in names if Path(name).suffix.lower() in SUFFIXES}
    best = replace(best, left_out=len(seen - files))
    images = {image for image, _ in pairs}
    rivals = [
        result
        for result, other in results[1:]
        if not result.problems and "lists" not in best.options and {image for image, _ in other} == images
    ]
    return [best, *rivals]


def _try(root: Path, options: Options) -> tuple[Recognised, set[tuple[Path, Path]]]:
    arrangement = Arrangement.of(root, options, divided="split" in options)
    surveys: dict[str, Survey] = {split: arrangement.survey(split) for split in arrangement.splits()}
    counts = {split: len(survey.pairs) for split, survey in surveys.items() if survey.pictures}
    problems = [problem.message for survey in surveys.values() for problem in survey.problems]
    pairs = {(pair.image, pair.labels) for survey in surveys.values() for pair in survey.pairs}
    return Recognised(options, counts, problems), pairs
