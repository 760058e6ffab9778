"""The first samples of a split, where a few are enough."""

from __future__ import annotations

from attseg.data.sample import Sample, SegmentationData


class First:
    """The first ``count`` samples of a split, or all where there are fewer.

    Example:
        >>> from attseg.data.sets.scenes import Scenes
        >>> few = First(Scenes("val", size=(64, 64), count=9), 2)
        >>> len(few), few.name(1)
        (2, 'val/00001')
    """

    def __init__(self, data: SegmentationData, count: int) -> None:
        self.data, self.classes, self.split = data, data.classes, data.split
        self.count = min(count, len(data))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        return self.data[index]

    def name(self, index: int) -> str:
        """The name of a sample without reading it."""
        return self.data.name(index)
