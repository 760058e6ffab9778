"""Warnings from a few images of a data set, for the start of training: the data may never have been checked."""

from __future__ import annotations

from attseg.data.checking.images import HowRead, facts_of, judge_images
from attseg.data.reading.image import read_raw
from attseg.data.sample import SegmentationData
from attseg.data.sets.file_set import FileSet
from attseg.data.sets.files import FileData

LOOKED_AT = 8


def how_read(files: FileSet) -> HowRead:
    """How the images of a data set are read."""
    has_options = "range" in files.record.options
    return HowRead(files.value_range, files.apply_orientation, files.states_orientation, has_options, files.bands)


def first_look(data: SegmentationData) -> list[str]:
    """Findings of a check from a few images spread evenly over a split: value range, orientation, bands not read.

    Returns:
        Sentences; none where nothing is odd, or the data set does not consist of files.

    Raises:
        DataError: An image cannot be read.
    """
    if not isinstance(data, FileData):
        return []
    how, step = how_read(data.files), max(1, len(data) // LOOKED_AT)
    images = [pair.image for pair in data.pairs[::step][:LOOKED_AT]]
    numbers = None if how.bands is None else how.bands.numbers
    facts = [facts_of(read_raw(image, bands=numbers, apply_orientation=how.apply_orientation)) for image in images]
    kinds = ("value range", "mixed ranges", "several types", "orientation", "not read")
    return [
        f"in {len(facts)} of {len(data)} images: {finding.message}"
        for finding in judge_images(facts, how)
        if finding.kind in kinds
    ]
