"""Checks at the start of training, since the data may never have been checked: a few images, and whether anything counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from attseg.data.checking.images import facts_of, judge_images
from attseg.data.classes import BACKGROUND_IS_A_CLASS
from attseg.data.sample import DataError, SegmentationData
from attseg.data.sets.file_data import FileData
from attseg.data.wording import plural

LOOKED_AT = 8


def first_look(data: SegmentationData, crop_size: tuple[int, int]) -> list[str]:
    """Findings from a few images spread evenly over a split: value range, orientation, bands not read, smaller than the crop.

    Args:
        data: The split.
        crop_size: Height and width of the crops that are cut from it.

    Returns:
        Sentences; none where nothing is odd, or the data set does not consist of files.

    Raises:
        DataError: An image cannot be read.
    """
    if not isinstance(data, FileData):
        return []
    step = max(1, len(data) // LOOKED_AT)
    images = [pair.image for pair in data.pairs[::step][:LOOKED_AT]]
    raw = [data.files.read_raw_image(image) for image in images]
    facts = [facts_of(each) for each in raw]
    kinds = ("value range", "mixed ranges", "several types", "orientation", "not read")
    found = [finding.message for finding in judge_images(facts, data.files) if finding.kind in kinds]
    smaller = [
        each.values.shape for each in raw if each.values.shape[0] < crop_size[0] or each.values.shape[1] < crop_size[1]
    ]
    if smaller:
        height, width = min(shape[0] for shape in smaller), min(shape[1] for shape in smaller)
        found.append(
            f"{plural(len(smaller), 'image')} smaller than crops of {crop_size[0]} x {crop_size[1]}, down to {height} x {width}. "
            f"They are padded, and training ignores the padding. Smaller crops cost less: --crop_size {height},{width}"
        )
    return [f"in {len(facts)} of {len(data)} images: {message}" for message in found]


ADVICE = "Count the values of the label files with `attseg data check`"


def check_counted(train: SegmentationData, val: SegmentationData) -> None:
    """Refuse splits on which nothing can be learnt or measured, before anything is trained.

    Label files are read only until enough has been seen, which most often is the first one.

    Args:
        train: The split to train on; at least two classes have to occur in it.
        val: The split to measure on; at least one pixel of it has to count.

    Raises:
        DataError: Too little occurs in a split, or one of the files that were read is not as it must be.
    """
    found: set[int] = set()
    for labels in _present(train):
        found |= labels
        if len(found) > 1:
            break
    if not found:
        raise DataError(f"{_no_pixel(train)}, so nothing can be learnt. {ADVICE}")
    if len(found) == 1:
        name = train.classes.names[found.pop()]
        raise DataError(
            f"every pixel of the split {train.split!r} that counts is of the class {name!r}, so there is nothing to learn. "
            f"{BACKGROUND_IS_A_CLASS}. {ADVICE}"
        )
    if not any(_present(val)):
        raise DataError(f"{_no_pixel(val)}, so nothing can be measured. {ADVICE}")


def _no_pixel(data: SegmentationData) -> str:
    return f"no pixel of the split {data.split!r} counts: all of its {len(data)} label files hold ignored values only"


def _present(data: SegmentationData) -> Iterator[set[int]]:
    """The classes in each sample, one after the other."""
    for index in range(len(data)):
        labels = np.unique(data[index].labels)
        yield set(labels[labels < len(data.classes)].tolist())
