"""Assumptions that a check made about a data set, as lines of one block.

A line is a function in ``LINES``: from what was read to a text, or None where there is nothing to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attseg.data.checking.findings import Assumption, SplitSummary
from attseg.data.checking.images import ImageFacts, describe_bands, describe_orientation, describe_values
from attseg.data.checking.readings import Part, Reading, distinct_facts
from attseg.data.classes import IGNORE, ClassTable
from attseg.data.sets.file_set import FileSet
from attseg.data.wording import few, percent, plural, ranges
from attseg.written import LEDGER


@dataclass(frozen=True)
class CheckedData:
    """Everything read of a data set.

    Args:
        parts: The files of each split.
        readings: What was read of each of them, in the same order.
        splits: Counts of each split.
        classes: The class table, if it could be read.
        hidden: Files and folders that were skipped for their names.
        shared: Pairs of splits that have images in common, each with the names in the first of them; splits that overlap on
            purpose are left out.
        files: The data set.
        unread: How many files beside the images and label files end in what is not read, by ending.
    """

    parts: Mapping[str, Part]
    readings: Mapping[str, Sequence[Reading]]
    splits: Mapping[str, SplitSummary]
    classes: ClassTable | None
    hidden: Sequence[Path]
    shared: Mapping[tuple[str, str], Sequence[str]]
    files: FileSet
    unread: Counter[str] = field(default_factory=Counter)

    def each(self) -> Iterator[Reading]:
        """Every reading of every split."""
        for readings in self.readings.values():
            yield from readings

    def images(self) -> list[ImageFacts]:
        """Facts about every image file."""
        return distinct_facts(self.parts, self.readings)


def assume(seen: CheckedData) -> list[Assumption]:
    """The lines of the block, in the order of ``LINES``."""
    return [Assumption(about, text) for about, line in LINES if (text := line(seen)) is not None]


def _label_files(seen: CheckedData) -> str | None:
    kinds = Counter(reading.label_kind for reading in seen.each() if reading.label_kind)
    listed = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common())
    if any(kind.endswith("JPEG2000") for kind in kinds):
        listed += "; JPEG 2000 is taken as lossless, since its transform is reversible"
    return listed or None


def _ignored(seen: CheckedData) -> str | None:
    if not seen.classes or not any(reading.label_kind for reading in seen.each()):
        return None
    values = [raw for raw in range(len(seen.classes.lookup)) if seen.classes.lookup[raw] == IGNORE]
    if not values:
        return "no value; every pixel has a class"
    ignored = sum(summary.ignored for summary in seen.splits.values())
    total = sum(sum(summary.pixels) + summary.ignored + summary.unknown for summary in seen.splits.values())
    return f"{ranges(values)} ({percent(ignored, total) if total else 'no pixel'} of the pixels)"


def _absent(seen: CheckedData) -> str | None:
    if not seen.classes or not any(any(summary.pictures_with) for summary in seen.splits.values()):
        return None
    absent = [
        name
        for index, name in enumerate(seen.classes.names)
        if not any(summary.pictures_with[index] for summary in seen.splits.values())
    ]
    return f"{len(absent)} of {len(seen.classes)}: {few(absent, 10)}" if absent else "none, over all splits"


def _hidden(seen: CheckedData) -> str:
    names = Counter(path.name for path in seen.hidden if path.name != LEDGER)
    if not names:
        return "none"
    listed = [name if count == 1 else f"{name} ({count})" for name, count in names.most_common()]
    return f"{names.total()}: {few(listed, 5)}"


def _unread(seen: CheckedData) -> str | None:
    if not seen.unread:
        return None
    listed = few([f"{ending or 'no ending'} ({count})" for ending, count in seen.unread.most_common()], 6)
    return f"{seen.unread.total()}: {listed}"


def _duplicates(seen: CheckedData) -> str | None:
    if len(seen.parts) < 2:
        return None
    pairs = [
        f"{plural(len(names), 'image')} in both {one} and {other}: {few(names)}"
        for (one, other), names in seen.shared.items()
    ]
    return "; ".join(pairs) or "none"


Line = Callable[[CheckedData], str | None]

LINES: tuple[tuple[str, Line], ...] = (
    ("bands read", lambda seen: describe_bands(seen.images())),
    ("value range", lambda seen: describe_values(seen.images(), seen.files)),
    ("orientation", lambda seen: describe_orientation(seen.images(), seen.files)),
    ("label files", _label_files),
    ("ignored label values", _ignored),
    ("classes that never occur", _absent),
    ("hidden files and folders skipped", _hidden),
    ("files of other kinds skipped", _unread),
    ("identical images between splits", _duplicates),
)
"""Topic of each line, and the function that gives its text."""
