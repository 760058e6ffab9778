"""Class scores of an image of any size: whole or in windows, at several scales, mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.prediction.decided import DecidingModel as DecidingModel
    from attseg.prediction.protocol import Protocol as Protocol
    from attseg.prediction.protocols import find_protocol as find_protocol
    from attseg.prediction.stream import Predictor as Predictor
    from attseg.prediction.whole import as_batch as as_batch
    from attseg.prediction.whole import predict_logits as predict_logits

__getattr__, __dir__ = lazy(__name__)
