"""Options of ``attseg predict`` on results: how classes are decided, and which files are saved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group

from attseg.cli.options import SHARE, WHOLE, Names, Whole, typed, unwrapped

if TYPE_CHECKING:
    from attseg.prediction.decision import Decision

Small = Literal["fill", "drop"]


def _read_thresholds(text: str) -> dict[str, float]:
    pairs = [part.rpartition("=") for part in re.split(r",(?=[^,]*=)", text)]
    thresholds = {name.strip(): float(Fraction(value)) for name, _, value in pairs}
    if "" in thresholds:
        raise ValueError(text)
    return thresholds


Thresholds = Annotated[
    dict[str, float] | None,
    typed(_read_thresholds, "classes with a probability each, such as crack=0.3,person=0.5", "CLASS=SHARE,.."),
]


@unwrapped
@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """Decisions made from probabilities.

    Args:
        save: Further files: probabilities (probabilities/NAME.npz, float16), geojson, labelme (a file for each image), coco (one
            file, coco.json).
        probabilities_of: Save the probabilities of these classes, as 8-bit PNG (probabilities/NAME.INDEX.png), instead of all.
        threshold: A pixel gets CLASS if and only if the probability of CLASS is at least SHARE, even if another is higher.
        unsure_below: Pixels whose class has a lower probability are "not sure": ignored, as in labels.
        unsure_value: Value of these pixels in label files (default: the value that the data set ignores, mostly 255).
        min_region: Smallest region of one class, in pixels.
        small: What smaller regions become: the neighbour with the longest border (fill), or not sure (drop).
    """

    save: Names = ()
    probabilities_of: Names = ()
    threshold: Thresholds = None
    unsure_below: Annotated[float, SHARE] = 0.0
    unsure_value: Whole = None
    min_region: Annotated[int, WHOLE] = 0
    small: Small = "fill"

    def decision(self) -> Decision:
        """From probabilities to classes.

        Raises:
            UsageError: A value that makes no sense.
        """
        from attseg.prediction.decision import Decision

        return Decision(
            thresholds=self.threshold or {},
            unsure_below=self.unsure_below,
            min_region=self.min_region,
            small=self.small,
        )


RESULTS = Group("What is saved, and how classes are decided", help="docs/use/predict.md has examples.", sort_key=4)
