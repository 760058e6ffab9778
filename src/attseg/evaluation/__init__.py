"""A model over a split: one confusion matrix, more meters beside it, and the report of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.evaluation.boundary import BoundaryMeter as BoundaryMeter
    from attseg.evaluation.calibration import CalibrationMeter as CalibrationMeter
    from attseg.evaluation.comparison import Comparison as Comparison
    from attseg.evaluation.comparison import compare as compare
    from attseg.evaluation.kept import KeptCounts as KeptCounts
    from attseg.evaluation.meter import ConfusionMeter as ConfusionMeter
    from attseg.evaluation.meter import Meter as Meter
    from attseg.evaluation.report import Report as Report
    from attseg.evaluation.run import evaluate as evaluate
    from attseg.evaluation.sizes import SizeMeter as SizeMeter
    from attseg.evaluation.submission import Submission as Submission
    from attseg.metrics import ConfusionMatrix as ConfusionMatrix

__getattr__, __dir__ = lazy(__name__)
