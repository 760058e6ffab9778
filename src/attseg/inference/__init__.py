"""Using a trained model: ``load`` it, call it with images, get results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.inference.result import Result as Result
    from attseg.inference.segmenter import Segmenter as Segmenter
    from attseg.inference.segmenter import load as load

__getattr__, __dir__ = lazy(__name__)
