"""A table of classes for a folder that has none, from the values or colours in its label files."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

from attseg.data.classes import IGNORE, MAX_CLASSES, distinct_colors
from attseg.data.reading.color_labels import colors_in
from attseg.data.reading.image import read_raw_labels
from attseg.data.reading.label_values import count_values
from attseg.data.sample import DataError
from attseg.data.sets.class_file import to_csv
from attseg.data.sets.folder import FolderFiles
from attseg.data.wording import few, plural
from attseg.files import write_file


def propose_classes(files: FolderFiles) -> str:
    """The content of ``classes.csv`` with a row for each value, or colour, that occurs; names are placeholders.

    Of bytes, 255 beside two and more other values is marked as ignored.

    Args:
        files: The data set; it needs no table of classes.

    Raises:
        DataError: There is no label file, one cannot be read, or more values occur than there can be classes.
    """
    labels = [pair.labels for pair in files.pairs_of(files.splits())]
    if not labels:
        raise DataError(files.explain_missing("train", files.splits()) + files.next_step(files.splits()))
    counts: Counter[Any] = Counter()
    for path in labels:
        counts.update(colors_in(path) if files.by_color else count_values(read_raw_labels(path).values))
        if len(counts) > MAX_CLASSES + 1:
            what = "colours" if files.by_color else "values"
            raise DataError(
                f"{path} and those before it hold over {MAX_CLASSES} {what}, more than there can be classes: these are no label "
                f"files, or they were smoothed or scaled. Most common are {few([str(v) for v, _ in counts.most_common(5)], 5)}"
            )
    return to_csv(rows_of_colors(counts) if files.by_color else rows_of_values(counts))


def describe_proposal(text: str) -> str:
    """The contents of a proposed table in a sentence."""
    rows = list(csv.reader(StringIO(text)))[1:]
    ignored = [row[0] for row in rows if row[-1]]
    also = f", {', '.join(ignored)} marked as ignored" if ignored else ""
    return f"{plural(len(rows), 'row')}{also}; their names are placeholders: put in your own"


def rows_of_values(found: Iterable[int]) -> list[tuple[Any, ...]]:
    """Rows of values; the usual names where there are two."""
    values = sorted(found)
    names = ("background", "foreground") if len(values) == 2 and values[0] == 0 else tuple(f"class {v}" for v in values)
    rows: list[tuple[Any, ...]] = []
    for value, name, color in zip(values, names, distinct_colors(len(values)), strict=True):
        ignored = value == IGNORE and len(values) > 2
        rows.append(
            (value, "ignored" if ignored else name, *((224, 224, 192) if ignored else color), 1 if ignored else "")
        )
    return rows


def rows_of_colors(counts: Counter[Any]) -> list[tuple[Any, ...]]:
    """Rows of colours: black first, then the most common."""
    colors = sorted(counts, key=lambda color: (color != (0, 0, 0), -counts[color], color))
    return [
        (place, "background" if color == (0, 0, 0) else "class {:02x}{:02x}{:02x}".format(*color), *color, "")
        for place, color in enumerate(colors)
    ]


def write_proposal(files: FolderFiles, path: Path) -> str:
    """Write the proposed table to a new file, and return what was written, as a sentence."""
    text = propose_classes(files)
    write_file(path, text)
    return f"{path}: {describe_proposal(text)}"
