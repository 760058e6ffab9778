"""Data sets: samples, class tables, and the files they are read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.data.catalog import DATA_NAMES as DATA_NAMES
    from attseg.data.catalog import open_data as open_data
    from attseg.data.catalog import open_pictures as open_pictures
    from attseg.data.classes import IGNORE as IGNORE
    from attseg.data.classes import ClassTable as ClassTable
    from attseg.data.paint import colorize as colorize
    from attseg.data.paint import overlay as overlay
    from attseg.data.preprocessing import Preprocessing as Preprocessing
    from attseg.data.sample import DataError as DataError
    from attseg.data.sample import Sample as Sample
    from attseg.data.sample import SegmentationData as SegmentationData
    from attseg.data.sample import check_sample as check_sample

__getattr__, __dir__ = lazy(__name__)
