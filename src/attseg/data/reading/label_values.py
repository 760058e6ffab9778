"""Diagnoses values of a label file that the class table does not know, and their likely cause."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt

from attseg.data.classes import IGNORE, MAX_VALUE, ClassTable
from attseg.data.wording import percent, ranges


def count_values(values: npt.NDArray[Any]) -> dict[int, int]:
    """How often each value occurs in an array of integers of any shape.

    Example:
        >>> count_values(np.array([[0, 3], [3, 3]], np.uint8))
        {0: 1, 3: 3}
    """
    if values.dtype == np.uint8:
        counts = np.bincount(values.ravel())
        return {int(value): int(counts[value]) for value in counts.nonzero()[0]}
    found, times = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), times.tolist(), strict=True))


def explain_unknown(
    counts: Mapping[int, int], classes: ClassTable, *, paletted: bool = False, official: bool = False
) -> str | None:
    """Say which values of a label file the class table does not know, how large their share is, and what may help.

    Args:
        counts: How many pixels hold each value.
        classes: What the values mean.
        paletted: Whether the file shows its values as colours of a palette.
        official: Whether the file is one of a public data set, whose classes are not the user's to change.

    Returns:
        The sentences, or None where every value is known.

    Example:
        >>> table = ClassTable(("water", "land"), ((0, 0, 255), (0, 255, 0)), {0: 0, 1: 1})
        >>> print(explain_unknown({0: 30, 255: 10}, table))
        25 % of the pixels hold the value 255, but the classes know only 0..1. All are multiples of 255, as in masks \
made for looking at: divide by 255, or name them in classes.csv.
    """
    unknown = {value: count for value, count in counts.items() if not is_known(value, classes)}
    if not unknown:
        return None
    total = sum(counts.values())
    common = sorted(unknown, key=lambda value: -unknown[value])
    if len(common) == 1:
        what = f"the value {common[0]}"
    else:
        listed = ", ".join(f"{value} ({percent(unknown[value], total)})" for value in common[:4])
        what = f"the values {listed}" + (f" and {len(common) - 4} more" if len(common) > 4 else "")
    hint = _hint(set(counts), set(unknown), classes, official)
    palette = " The file has a palette: its indices were read, not its colours." if paletted else ""
    return f"{percent(sum(unknown.values()), total)} of the pixels hold {what}, but {_known(classes)}. {hint}{palette}"


def is_known(value: int, classes: ClassTable) -> bool:
    """Whether a value of a label file means a class, or is to be ignored."""
    return 0 <= value < len(classes.lookup) and bool(classes.lookup[value] >= 0)


def _hint(present: set[int], unknown: set[int], classes: ClassTable, official: bool) -> str:
    highest_class = int(np.flatnonzero((classes.lookup >= 0) & (classes.lookup != IGNORE)).max(initial=-1))
    if min(unknown) < 0 or max(unknown) >= len(classes.lookup):
        fits = not official and 0 <= min(unknown) <= max(unknown) <= MAX_VALUE
        named = f", or name them in classes.csv, which takes values up to {MAX_VALUE}" if fits else ""
        return f"Turn numbers of objects, or values stretched to 16 bits, into numbers of classes{named}."
    step = gcd(*present)
    if step >= 17 and max(present) > 200:
        csv = "" if official else ", or name them in classes.csv"
        return f"All are multiples of {step}, as in masks made for looking at: divide by {step}{csv}."
    if len(unknown) > max(8, len(classes)):
        return (
            "So many values are those of a photograph, or of a mask that was resized with smoothing or saved as JPEG: take the "
            "original masks, and resize them with nearest."
        )
    if official:
        return "The file is not as it was released, or belongs to another data set: get it anew."
    if unknown == {highest_class + 1}:
        return (
            f"{highest_class + 1} is one above the last class: where labels count from 1, subtract 1, or let classes.csv count "
            "from 1 as well (and mark 0 there as ignored, if it occurs)."
        )
    if unknown == {IGNORE}:
        return "Where 255 means unlabelled, say so in classes.csv with the row 255,ignore."
    return "Correct the file, or give each value a row in classes.csv (marked as ignored, if it is no class)."


def _known(classes: ClassTable) -> str:
    known = np.flatnonzero((classes.lookup >= 0) & (classes.lookup != IGNORE))
    ignored = np.flatnonzero(classes.lookup == IGNORE)
    also = f", and {ranges(ignored.tolist())} as ignored" if len(ignored) else ""
    return f"the classes know only {ranges(known.tolist())}{also}"
