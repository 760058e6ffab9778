"""Options of an import, for cases that an export leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from attseg.errors import unknown

Overlap = Literal["later", "smaller"]
Boxes = Literal["fill", "skip"]
Crowd = Literal["class", "ignore"]
Uncovered = Literal["background", "ignore"]
Unlabeled = Literal["background", "skip"]
Orientation = Literal["applied", "raw"]


@dataclass(frozen=True)
class Choices:
    """Decisions about an import.

    Args:
        split: Share of the pictures that is trained on, or a split file of an earlier import; None: the splits of the export, or
            0.8 where it has none.
        seed: Of the split.
        group: Pictures that stay together: ``folder``, or a regular expression whose match in the name is the group.
        classes: The classes to take, in their order; empty: all.
        overlap: Which of two regions a pixel gets that both cover.
        boxes: Whether boxes are filled or left out; None: as the tool does where it makes masks, and refused where nothing else
            is drawn.
        crowd: Whether regions that COCO marks as a crowd are their class or ignored.
        uncovered: What pixels are that no region covers.
        unlabeled: Whether pictures without a region are background or left out; None: background where the tool says that they
            were labelled, and left out where it does not.
        orientation: Whether shapes were drawn on pictures turned upright by EXIF, where their sizes do not tell.
        link: Whether pictures are linked to those of the export, in place of copies (hard links; on the same disk).

    Raises:
        UsageError: A decision has no such value.
    """

    split: float | Path | None = None
    seed: int = 0
    group: str | None = None
    classes: tuple[str, ...] = ()
    overlap: Overlap = "later"
    boxes: Boxes | None = None
    crowd: Crowd = "class"
    uncovered: Uncovered = "background"
    unlabeled: Unlabeled | None = None
    orientation: Orientation = "applied"
    link: bool = False

    def __post_init__(self) -> None:
        for name, kind in (("overlap", Overlap), ("boxes", Boxes), ("crowd", Crowd), ("uncovered", Uncovered),
                           ("unlabeled", Unlabeled), ("orientation", Orientation)):  # fmt: skip
            value = getattr(self, name)
            if value not in get_args(kind) and not (value is None and name in ("boxes", "unlabeled")):
                raise unknown(name, str(value), get_args(kind))
