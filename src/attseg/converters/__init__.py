"""Converters for weights that others released, one file a source: a model of ours with equal logits.

    from attseg.converters import load_semseg
    model = load_semseg("psanet50.pth")            # a PSANet of ours, in evaluation mode

``docs/use/converters.md`` says what each can read; ``attseg convert`` writes a run folder that ``attseg.load`` takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.converters.csail import load_csail
    from attseg.converters.mmseg import load_mmseg
    from attseg.converters.semseg import load_semseg
    from attseg.converters.smp import load_smp

__all__ = [
    "load_csail",
    "load_mmseg",
    "load_semseg",
    "load_smp",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "attseg.converters.csail": "load_csail",
        "attseg.converters.mmseg": "load_mmseg",
        "attseg.converters.semseg": "load_semseg",
        "attseg.converters.smp": "load_smp",
    },
)
