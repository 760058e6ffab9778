"""Doors for weights that others released: their names and habits on one side, a model of ours with equal logits on the other.

    from attseg.doors import load_semseg
    model = load_semseg("psanet50.pth")            # a PSANet of ours, in evaluation mode

One file a source. ``docs/doors.md`` says what each can read; ``attseg convert`` writes a run folder that ``attseg.load`` takes.
"""

from __future__ import annotations

from attseg.doors.csail import load_csail
from attseg.doors.mmseg import load_mmseg
from attseg.doors.semseg import load_semseg
from attseg.doors.smp import load_smp

__all__ = ["load_csail", "load_mmseg", "load_semseg", "load_smp"]
