"""A model over a split: one confusion matrix, more meters beside it, and the report of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.evaluation.boundary import BoundaryMeter
    from attseg.evaluation.calibration import CalibrationMeter
    from attseg.evaluation.comparison import Comparison, compare
    from attseg.evaluation.kept import KeptCounts
    from attseg.evaluation.meter import ConfusionMeter, Meter
    from attseg.evaluation.report import Report
    from attseg.evaluation.run import evaluate
    from attseg.evaluation.sizes import SizeMeter
    from attseg.evaluation.submission import Submission
    from attseg.metrics import ConfusionMatrix

__all__ = [
    "BoundaryMeter",
    "CalibrationMeter",
    "Comparison",
    "ConfusionMatrix",
    "ConfusionMeter",
    "KeptCounts",
    "Meter",
    "Report",
    "SizeMeter",
    "Submission",
    "compare",
    "evaluate",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.evaluation.boundary": "BoundaryMeter",
        "attseg.evaluation.calibration": "CalibrationMeter",
        "attseg.evaluation.comparison": "Comparison compare",
        "attseg.evaluation.kept": "KeptCounts",
        "attseg.evaluation.meter": "ConfusionMeter Meter",
        "attseg.evaluation.report": "Report",
        "attseg.evaluation.run": "evaluate",
        "attseg.evaluation.sizes": "SizeMeter",
        "attseg.evaluation.submission": "Submission",
        "attseg.metrics": "ConfusionMatrix",
    },
)
