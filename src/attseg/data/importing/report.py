"""The report of an import: what was taken, what was left out, and what overlapped."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from attseg.data.wording import few, percent, plural
from attseg.text import TextTable

MOST_SHOWN = 5
"""Files of one kind that are printed; all are in the report file."""


@dataclass
class ImportReport:
    """The report of an import.

    Args:
        source: The export.
        out: The data set that was written.
        format: Its format.
        title: Its name for people.
        splits: Pictures by split.
        classes: Names of the values 0..K-1.
        pixels: Pixels of each class by split; of ignored pixels under ``ignored``.
        in_pictures: Pictures in which each class occurs.
        overlaps: Pixels by the names of the class below and of the class above, which won.
        broken: Pictures that were skipped since a file is broken or missing, with the reason.
        skipped: Pictures that were left out on purpose, with the reason.
        left_out: Shapes that were left out, by the reason.
        remarks: What was decided.
    """

    source: Path
    out: Path
    format: str
    title: str
    splits: dict[str, int] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    pixels: dict[str, dict[str, int]] = field(default_factory=dict)
    in_pictures: dict[str, int] = field(default_factory=dict)
    overlaps: dict[tuple[str, str], int] = field(default_factory=dict)
    overlapping_pictures: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether no picture is missing for a broken file."""
        return not self.broken

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        overlaps = [
            {"below": below, "above": above, "pixels": count} for (below, above), count in self.overlaps.items()
        ]
        plain = asdict(self) | {"source": str(self.source), "out": str(self.out), "overlaps": overlaps}
        del plain["title"]
        return plain


def report_parts(report: ImportReport) -> Iterator[str | TextTable]:
    """The report in words and tables."""
    yield f"{report.title} in {report.source}"
    counts = ", ".join(f"{split} {count}" for split, count in report.splits.items())
    yield f"{plural(sum(report.splits.values()), 'picture')}: {counts}"
    yield ""
    totals = {split: sum(found.values()) or 1 for split, found in report.pixels.items()}
    rows = [
        (
            str(index) if name != "ignored" else "255",
            name,
            str(report.in_pictures.get(name, 0)),
            *(f"{100 * found.get(name, 0) / totals[split]:.2f}" for split, found in report.pixels.items()),
        )
        for index, name in enumerate([*report.classes, "ignored"])
        if name != "ignored" or any(found.get("ignored") for found in report.pixels.values())
    ]
    yield TextTable(("value", "class", "pictures", *(f"{split} %" for split in report.pixels)), rows)
    yield ""
    yield from report.remarks
    if report.overlaps:
        total = sum(sum(found.values()) for found in report.pixels.values())
        pixels = sum(report.overlaps.values())
        pairs = sorted(report.overlaps.items(), key=lambda item: -item[1])
        told = [f"{above} over {below} ({count} pixels)" for (below, above), count in pairs]
        yield (
            f"regions of different classes overlap in {plural(report.overlapping_pictures, 'picture')} "
            f"({percent(pixels, total)} of all pixels): {few(told)}"
        )
    for why, count in report.left_out.items():
        yield f"left out: {plural(count, 'shape')}: {why}"
    for reason in dict.fromkeys(report.skipped.values()):
        names = [name for name, why in report.skipped.items() if why == reason]
        yield f"{plural(len(names), 'picture')} left out: {reason}: {few(names)}"
    shown = list(report.broken.items())[:MOST_SHOWN]
    for name, reason in shown:
        yield f"skipped: {name}: {reason}"
    if len(report.broken) > len(shown):
        yield f"and {len(report.broken) - len(shown)} more, which {report.out / 'import.json'} lists"
    if report.broken:
        yield f"{plural(len(report.broken), 'picture')} skipped for broken or missing files; the others are in {report.out}"
    folder = shlex.quote(str(report.out))
    yield f"next:\n  attseg data check {folder}\n  attseg train pan-folder --data.root {folder}"
