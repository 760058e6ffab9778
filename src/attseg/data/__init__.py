"""Data sets: samples, class tables, and the files they are read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.data.catalog import DATA_NAMES, open_data, open_pictures
    from attseg.data.classes import IGNORE, ClassTable
    from attseg.data.paint import colorize, overlay
    from attseg.data.preprocessing import Preprocessing
    from attseg.data.sample import DataError, Sample, SegmentationData, check_sample

__all__ = [
    "DATA_NAMES",
    "IGNORE",
    "ClassTable",
    "DataError",
    "Preprocessing",
    "Sample",
    "SegmentationData",
    "check_sample",
    "colorize",
    "open_data",
    "open_pictures",
    "overlay",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.data.catalog": "DATA_NAMES open_data open_pictures",
        "attseg.data.classes": "IGNORE ClassTable",
        "attseg.data.paint": "colorize overlay",
        "attseg.data.preprocessing": "Preprocessing",
        "attseg.data.sample": "DataError Sample SegmentationData check_sample",
    },
)
