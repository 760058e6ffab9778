"""Class scores of an image of any size: whole or in windows, at several scales, mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.prediction.decided import DecidingModel
    from attseg.prediction.protocol import Protocol
    from attseg.prediction.protocols import find_protocol
    from attseg.prediction.stream import Predictor
    from attseg.prediction.whole import as_batch, predict_logits

__all__ = [
    "DecidingModel",
    "Predictor",
    "Protocol",
    "as_batch",
    "find_protocol",
    "predict_logits",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.prediction.decided": "DecidingModel",
        "attseg.prediction.protocol": "Protocol",
        "attseg.prediction.protocols": "find_protocol",
        "attseg.prediction.stream": "Predictor",
        "attseg.prediction.whole": "as_batch predict_logits",
    },
)
