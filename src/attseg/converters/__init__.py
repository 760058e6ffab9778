"""Converters for weights that others released, one file a source: a model of ours with equal logits.

    from attseg.converters import load_semseg
    model = load_semseg("psanet50.pth")            # a PSANet of ours, in evaluation mode

``docs/use/converters.md`` says what each can read; ``attseg convert`` writes a run folder that ``attseg.load`` takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attseg.lazy import lazy

if TYPE_CHECKING:
    from attseg.converters.csail import load_csail as load_csail
    from attseg.converters.mmseg import load_mmseg as load_mmseg
    from attseg.converters.semseg import load_semseg as load_semseg
    from attseg.converters.smp import load_smp as load_smp

__getattr__, __dir__ = lazy(__name__)
