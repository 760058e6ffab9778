"""The pictures of a split that are looked at, one at a time."""

from __future__ import annotations

from collections.abc import Iterator

from attseg.data.preprocessing import Preprocessing, check_same_bands
from attseg.data.sample import Sample, SegmentationData, channels_of, check_sample
from attseg.data.sets.file_data import FileData
from attseg.errors import UsageError


def chosen(data: SegmentationData, preprocessing: Preprocessing, limit: int | None) -> list[int]:
    """The places of at most ``limit`` pictures, spread evenly over a split.

    Raises:
        UsageError: The limit is below 1, the split is empty, or its images have other bands than the model sees.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"limit is {limit}; at least 1 was expected")
    if not len(data):
        raise UsageError(f"the split {data.split!r} has no picture to measure on")
    if isinstance(data, FileData):
        check_same_bands(preprocessing, data.files.bands)
    count = min(len(data), limit or len(data))
    return [place * len(data) // count for place in range(count)]


def samples_at(data: SegmentationData, places: list[int]) -> Iterator[Sample]:
    """The samples at some places of a split.

    Raises:
        DataError: A sample cannot be read, or ``check_sample`` refuses it.
    """
    for place in places:
        yield check_sample(data[place], len(data.classes), data.name(place), channels=channels_of(data))
