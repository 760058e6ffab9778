"""Each picture by itself: means over pictures, and the worst ones, as a table and a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attseg.errors import UsageError
from attseg.evaluation.bootstrap import Floats, Integers, ious_of
from attseg.evaluation.comparison import picture_parts
from attseg.evaluation.job import MeasuredModel
from attseg.evaluation.kept import KeptCounts
from attseg.evaluation.plots import draw_samples
from attseg.files import write_file
from attseg.metrics import mean_present, none_if_nan
from attseg.text import csv_text

MOST = 200
"""Pictures on a sheet, at most."""


@dataclass(frozen=True)
class PictureScore:
    """The scores of one picture.

    Args:
        index: In the split.
        name: Of the picture.
        miou: Mean IoU over the classes that are labelled or predicted in it; nan where no pixel counts.
        accuracy: Share of right pixels.
        worst: Index of the class with most wrong pixels, missed ones and false ones; None where all are right.
        wrong: How many pixels are wrong.
    """

    index: int
    name: str
    miou: float
    accuracy: float
    worst: int | None
    wrong: int


def picture_scores(kept: KeptCounts) -> list[PictureScore]:
    """The scores of all pictures that are counted, those with the lowest mIoU first, and those without any last."""
    found = []
    for (index, name), parts in zip(sorted(kept.names.items()), picture_parts(kept), strict=True):
        hits, labelled, predicted = parts
        errors = labelled + predicted - 2 * hits
        pixels, right = int(labelled.sum()), int(hits.sum())
        found.append(
            PictureScore(
                index,
                name,
                mean_present(ious_of(parts)),
                right / pixels if pixels else float("nan"),
                int(errors.argmax()) if errors.any() else None,
                pixels - right,
            )
        )
    return sorted(found, key=lambda one: (np.isnan(one.miou), one.miou, one.accuracy))


def picture_means(parts: Integers, names: Sequence[str]) -> dict[str, Any]:
    """Means over pictures, as plain values, of (N, 3, K) hits, labelled and predicted pixels of each class.

    ``miou``: of the mIoU of each picture over the classes that are labelled or predicted in it. ``pixel_accuracy``: of the share
    of right pixels. ``per_class``: of the IoU of a class over the pictures in which it is labelled or predicted. ``pictures``:
    those of which a pixel counts.
    """
    ious: Floats = ious_of(parts)
    counted = parts[:, 1].sum(axis=1) > 0
    accuracy = parts[counted, 0].sum(axis=1) / parts[counted, 1].sum(axis=1)
    return {
        "miou": none_if_nan(mean_present(np.array([mean_present(one) for one in ious[counted]]))),
        "pixel_accuracy": none_if_nan(mean_present(accuracy)),
        "per_class": {name: none_if_nan(mean_present(ious[:, index])) for index, name in enumerate(names)},
        "pictures": int(counted.sum()),
    }


def check_worst(count: int | None) -> None:
    """Refuse numbers of pictures that make no sheet.

    Raises:
        UsageError: The number is below 1, or above 200.
    """
    if count is not None and not 1 <= count <= MOST:
        raise UsageError(f"worst is {count}; a number of pictures from 1 to {MOST} was expected")


def write_worst(out: Path, measured: MeasuredModel, count: int) -> list[str]:
    """Write worst.csv with the scores of all pictures, and worst.png with the worst: picture, labels, prediction, errors.

    Args:
        out: The folder.
        measured: What was measured, with the counts of each picture.
        count: Pictures on the sheet.

    Returns:
        The names of the files.
    """
    assert measured.kept is not None  # asked for by the caller
    names, scores = measured.report.classes.names, picture_scores(measured.kept)
    table: list[tuple[Any, ...]] = [("picture", "miou", "pixel_accuracy", "wrong_pixels", "worst_class")]
    for one in scores:
        worst = "" if one.worst is None else names[one.worst]
        table.append((one.name, _rounded(one.miou), _rounded(one.accuracy), one.wrong, worst))
    write_file(out / "worst.csv", csv_text(table).encode(errors="backslashreplace"))
    rows, captions = [], []
    for one in scores[:count]:
        sample = measured.data[one.index]
        rows.append((sample.image, sample.labels, measured.label(sample.image)))
        worst = "" if one.worst is None else f", most errors with {names[one.worst]}"
        captions.append(f"{one.name}: mIoU {_percent(one.miou)}, {_percent(one.accuracy)} of pixels right{worst}")
    draw_samples(rows, measured.report.classes, out / "worst.png", captions=captions, errors=True)
    return ["worst.csv", "worst.png"]


def _rounded(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6f}"


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.2f} %"
