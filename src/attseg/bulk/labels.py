"""Label files after a run: what their values mean, and an archive of them for a benchmark server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from attseg.data.classes import ClassTable
from attseg.data.reading.image import read_raw
from attseg.data.reading.inputs import PictureFile, Pictures
from attseg.errors import UsageError
from attseg.evaluation.submission import Submission
from attseg.inference.saved import read_saved_labels, saved_files

MOST_TOLD = 4
"""Classes whose values are shown."""


def with_values(classes: ClassTable, table: ClassTable) -> ClassTable | None:
    """The classes of a model with the label values of a data set; None where that has other classes.

    Classes are the same by their names; their order, which follows the values in label files, may be another one.
    """
    if set(table.names) != set(classes.names):
        return None
    meanings = ((raw, place) for raw, place in enumerate(table.lookup.tolist()) if 0 <= place < len(table))
    means = {raw: classes.names.index(table.names[place]) for raw, place in meanings}
    return replace(classes, raw_to_train=means, values_known=True)


def describe_values(classes: ClassTable) -> str | None:
    """Meaning of the values in label files, for the first classes; None where they are the class indices."""
    if classes.values_known and classes.values.tolist() == list(range(len(classes))):
        return None
    pairs = [f"{value} {name}" for value, name in zip(classes.values.tolist(), classes.names, strict=True)]
    listed = ", ".join(pairs[:MOST_TOLD]) + (f" and {len(pairs) - MOST_TOLD} more" if len(pairs) > MOST_TOLD else "")
    if classes.values_known:
        return f"label files hold the values of the data set's own: {listed}"
    return f"label files hold class indices, as these weights do not say the values of their data set: {listed}"


def fill(submission: Submission, pictures: Sequence[str | Path | PictureFile], out: Path, classes: ClassTable) -> None:
    """Add the labels of all images, those of earlier runs too, and write the archive.

    Args:
        submission: The archive.
        pictures: The images.
        out: Folder of the labels.
        classes: What their values mean.

    Raises:
        UsageError: A label file is damaged, or another program wrote it.
    """
    named = [one for one in pictures if isinstance(one, PictureFile)]
    for file in named or Pictures([one for one in pictures if not isinstance(one, PictureFile)], outside=out):
        labels = _read(file, out, classes)
        bands = None if file.bands is None else file.bands.numbers
        raw = read_raw(file.path, bands=bands, apply_orientation=file.apply_orientation)
        height, width = raw.values.shape[:2]
        submission.add(file.name, labels, size=(height, width))
    submission.finish()


def saved_pictures(
    files: Iterable[PictureFile], out: Path, classes: ClassTable
) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """Name of the file and classes (H, W) of each picture that has labels in a folder of results.

    Raises:
        UsageError: A label file is damaged, or another program wrote it.
    """
    for file in files:
        if saved_files(out, file.name).labels.exists():
            yield Path(file.name).with_name(file.path.name).as_posix(), _read(file, out, classes)


def _read(file: PictureFile, out: Path, classes: ClassTable) -> npt.NDArray[np.uint8]:
    path = saved_files(out, file.name).labels
    if (labels := read_saved_labels(path, classes)) is None:
        raise UsageError(f"{path} is damaged, or another program wrote it; remove it, and predict again")
    return labels
