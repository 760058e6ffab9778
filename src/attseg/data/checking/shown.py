"""A check of a data set in words and tables, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attseg.data.checking.findings import Check, SplitSummary
from attseg.data.wording import plural
from attseg.text import TextTable, dimensions

MOST_VALUES = 40
"""Values of label files that are printed, the most common ones."""

MOST_SHOWN = 5
"""Findings of one kind that are printed; all are in the JSON."""


def check_parts(result: Check) -> Iterator[str | TextTable]:
    """The contents of each split, how often each class occurs, and the problems."""
    yield f"{result.name}{f' in {result.root}' if result.root else ''}"
    if result.splits:
        yield from _splits(result.splits)
        yield from _histogram(result)
    yield ""
    shown: Counter[tuple[str, str | None]] = Counter()
    for finding in result.findings:
        sort = finding.kind, finding.split
        shown[sort] += 1
        if shown[sort] <= MOST_SHOWN:
            yield f"{finding.severity}: {finding.message}"
    for (kind, split), count in shown.items():
        if count > MOST_SHOWN:
            yield (
                f"and {count - MOST_SHOWN} more of the kind {kind!r}{f' in {split}' if split else ''} (--json lists all)"
            )
    if result.assumed:
        yield (("\n" if result.findings else "") + "assumed about the data:")
        for about, text in result.assumed:
            yield f"  {about}: {text}"
    yield _verdict(result)
    if result.advice:
        yield "\nrecognised:"
        yield from (f"  - {sentence}" for sentence in result.advice.why)
        if result.advice.commands:
            yield "to import it:" if result.advice.imports else "to read this folder where it lies:"
        yield from (f"  {command}" for command in result.advice.commands)


def _verdict(result: Check) -> str:
    """The last line: whether anything stands against training, and what."""
    errors = Counter(finding.kind for finding in result.findings if finding.severity == "error")
    if errors:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in errors.most_common())
        return f"{plural(errors.total(), 'error')}, to be mended before training: {kinds}"
    if all(finding.severity == "note" for finding in result.findings):
        return "nothing is wrong"
    warnings = Counter(finding.kind for finding in result.findings if finding.severity == "warning")
    kinds = ", ".join(f"{kind} ({count})" for kind, count in warnings.most_common())
    return f"nothing stands against training; warnings: {kinds}"


def _splits(splits: dict[str, SplitSummary]) -> Iterator[str | TextTable]:
    rows = [
        (
            split,
            str(s.pictures) if s.released is None else f"{s.pictures:,} of {s.released:,}",
            dimensions(s.smallest) if s.smallest else "-",
            dimensions(s.largest) if s.largest else "-",
            _share(s.ignored, s.values),
            _share(s.unknown, s.values),
        )
        for split, s in splits.items()
    ]
    yield ""
    yield TextTable(("split", "pictures", "smallest", "largest", "ignored %", "unknown %"), rows)


def _histogram(result: Check) -> Iterator[str | TextTable]:
    """Pixels of each class; where values have no class, or there is no table, pixels of each value in the files."""
    splits = result.splits.values()
    if result.classes:
        rows = [
            (name, *(_share(s.pixels[index], s.pixels) for s in splits))
            for index, name in enumerate(result.classes.names)
            if any(s.pixels[index] for s in splits if s.pixels)
        ]
        yield ""
        yield TextTable(("class", *(f"{split} %" for split in result.splits)), rows)
        if len(rows) < len(result.classes):
            yield f"({len(result.classes) - len(rows)} of {len(result.classes)} classes never occur)"
    if not result.classes or any(s.unknown for s in splits):
        found: Counter[int] = Counter()
        for summary in splits:
            found.update(summary.values)
        values = sorted(value for value, _ in found.most_common(MOST_VALUES))
        rows = [(str(value), *(_share(s.values.get(value, 0), s.values) for s in splits)) for value in values]
        yield ""
        yield TextTable(("value", *(f"{split} %" for split in result.splits)), rows)
        if len(found) > len(values):
            yield f"(the {len(values)} most common of {len(found)} values; --json lists all)"


def _share(part: int, counts: dict[int, int] | list[int]) -> str:
    total = sum(counts.values() if isinstance(counts, dict) else counts)
    return f"{100 * part / total:.2f}" if total else "-"
