"""Which split each picture of an import belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from attseg.data.importing.choices import Choices
from attseg.data.importing.classes import Classes
from attseg.data.importing.export import Entry
from attseg.data.importing.report import ImportReport
from attseg.data.importing.writing import EntryContents, Placed
from attseg.data.splitting import assign_parts, read_splits
from attseg.data.wording import plural
from attseg.errors import UsageError

SHARE = 0.8
"""Share of the pictures that is trained on, where nothing says which."""

PARTS = ("train", "val")


def place(
    seen: Mapping[Entry, EntryContents], classes: Classes, choices: Choices, report: ImportReport
) -> list[Placed]:
    """Place pictures in splits: those of the export where it has train and val, else by share, or as an earlier import did.

    Raises:
        UsageError: There are too few pictures, or groups of them, for two splits.
        DataError: The split file is not as it must be.
    """
    given = {entry: entry.split for entry in seen}
    if choices.split is None and {*PARTS} <= set(given.values()):
        if choices.group is not None:
            raise UsageError(
                "the export says which pictures are train and val; to split them anew by --group, add --split 0.8"
            )
        report.remarks.append("the splits are those of the export (--split 0.8 makes others)")
        without = [entry for entry, split in given.items() if not split]
        for entry in without:
            report.skipped[entry.name] = "the export puts them into no split"
        return [Placed(entry, seen[entry], split) for entry, split in given.items() if split]
    kept = {} if not isinstance(choices.split, Path) else read_splits(choices.split)
    tested = [entry for entry, split in given.items() if split == "test" and entry.name not in kept]
    tested += [entry for entry in seen if kept.get(entry.name, "train") not in PARTS]
    entries = [entry for entry in seen if entry not in set(tested)]
    fixed = {entry.name: PARTS.index(kept[entry.name]) for entry in entries if entry.name in kept}
    share = choices.split if isinstance(choices.split, float | int) else SHARE
    if not 0 < share < 1:
        raise UsageError(f"--split is {share:g}; a share between 0 and 1 was expected, such as 0.8, or a split file")
    present = [
        {classes.values[label] for label, _, _ in seen[entry].shapes if label in classes.values} for entry in entries
    ]
    names = [entry.name for entry in entries]
    parts = assign_parts(names, present, (share, 1 - share), seed=choices.seed, group=choices.group, kept=fixed or None)
    report.remarks.append(_told(choices, share, Counter(given.values()), len(fixed), len(entries)))
    return [Placed(entry, seen[entry], kept.get(entry.name, "test")) for entry in tested] + [
        Placed(entry, seen[entry], PARTS[part]) for entry, part in zip(entries, parts, strict=True)
    ]


def _told(choices: Choices, share: float, given: Counter[str], fixed: int, count: int) -> str:
    how = f"share {share:g} for training, seed {choices.seed}, spread by classes"
    how += f", grouped by {choices.group!r}" if choices.group else ""
    if isinstance(choices.split, Path):
        return f"the splits of {choices.split} were kept for {plural(fixed, 'picture')}; {count - fixed} others: {how}"
    if choices.split is not None and given["train"] and given["val"]:
        return f"the splits of the export were not taken, by --split: {how}"
    return f"the export has no train and val: {how}"
