"""Several models that see the same images."""

from __future__ import annotations

from collections.abc import Sequence

from attseg.data.preprocessing import common_reading
from attseg.inference.segmenter import Segmenter, load


def load_together(
    sources: Sequence[str], *, device: str = "auto", show: Sequence[int] | None = None
) -> list[Segmenter]:
    """Load models that read an image alike, so that one preprocessing is that of all.

    Args:
        sources: As of ``load``.
        device: As of ``load``.
        show: As of ``Segmenter.show_bands``.

    Raises:
        UsageError: Their bands or value ranges differ; or as ``load``.
    """
    segmenters = [load(source, device=device) for source in sources]
    common_reading(sources, [segmenter.preprocessing for segmenter in segmenters])
    for segmenter in segmenters:
        segmenter.show_bands(show)
    return segmenters
