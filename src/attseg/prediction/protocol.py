"""The record that says how a picture is seen: at which scales, mirrored or not, whole or in windows, and what is averaged."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from attseg.errors import UsageError, unknown

Average = Literal["probabilities", "logits"]
Blend = Literal["even", "tapered"]

SMALLEST_WINDOW = 32
"""Side of the smallest window, in pixels: what every network takes."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a picture is seen. Plain values, all of which a report carries; ``docs/use/evaluation.md`` defines each.

    Args:
        name: What reports call it.
        scales: Factors by which the picture's sides are scaled; the picture is seen once at each, and these are averaged.
        flip: Whether everything is seen mirrored too, and the two averaged.
        window: Side of the square windows in which a scaled picture is seen, in pixels; 0 sees it whole.
        stride: Step from a window to the next, as a share of its side.
        long_side: What the longer side of the picture becomes at scale 1, in pixels; 0 leaves the picture as large as it is.
        short_side: What the shorter side of the picture becomes at scale 1, in pixels; 0 leaves the picture as large as it is.
        longest: With ``short_side``, the longest that the longer side may become: the picture is then scaled less.
        multiple: Sides of scaled pictures are rounded up to multiples of this.
        pad: What happens where a scaled picture is smaller than the window: surround it with the mean colour (true), or cut
            the window to the picture (false).
        average: Whether probabilities are averaged, or logits.
        blend: Weights of overlapping windows: ``even``, or ``tapered``, falling linearly towards a window's border, so that none
            shows where it ends.

    Raises:
        UsageError: A value that makes no sense, or that leaves pixels unseen.

    Example:
        >>> Protocol(scales=(0.5, 1.0), flip=True, window=465).describe()
        'at scales 0.5, 1 in windows of 465 at steps of 310, each also mirrored'
    """

    name: str = "single"
    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    window: int = 0
    stride: float = 2 / 3
    long_side: int = 0
    short_side: int = 0
    longest: int = 0
    multiple: int = 1
    pad: bool = False
    average: Average = "probabilities"
    blend: Blend = "even"

    def __post_init__(self) -> None:
        if not self.scales or not all(0 < scale < math.inf for scale in self.scales):
            given = ", ".join(f"{scale:g}" for scale in self.scales) or "empty"
            raise UsageError(f"scales are {given}; one or more numbers above 0 were expected, such as 0.5,1,1.5")
        if self.window != 0 and self.window < SMALLEST_WINDOW:
            raise UsageError(
                f"window is {self.window}; at least {SMALLEST_WINDOW} pixels were expected, which is the least that a network "
                "takes, or 0 to see pictures whole"
            )
        if not 0 < self.stride <= 1:
            raise UsageError(
                f"stride is {self.stride:g}; a share of the window above 0 and up to 1 was expected, because longer steps leave "
                "pixels unseen"
            )
        if self.long_side < 0:
            raise UsageError(
                f"long_side is {self.long_side}; a number of pixels was expected, or 0 for the picture's own"
            )
        if self.short_side < 0 or self.longest < 0 or self.multiple < 1:
            raise UsageError(
                f"short_side, longest and multiple are {self.short_side}, {self.longest} and {self.multiple}; numbers of "
                "pixels were expected, or 0, 0 and 1 for none"
            )
        if self.short_side and self.long_side:
            raise UsageError("short_side and long_side both say how large a picture becomes; give one of them")
        if self.longest and not self.short_side:
            raise UsageError(
                "longest bounds what short_side gives, and there is no short_side; give both, or long_side"
            )
        if self.pad and not self.window:
            raise UsageError(
                "pad surrounds pictures that are smaller than the window, and there is no window; give one"
            )
        if self.average not in get_args(Average):
            raise unknown("average", self.average, get_args(Average))
        if self.blend not in get_args(Blend):
            raise unknown("blend", self.blend, get_args(Blend))

    @property
    def is_plain(self) -> bool:
        """Whether the network sees each picture once, whole, as it is; then nothing is resized and nothing averaged."""
        return (
            self.scales == (1.0,)
            and not (self.flip or self.window or self.long_side or self.short_side)
            and self.multiple == 1
        )

    @property
    def step(self) -> int:
        """Pixels from a window to the next, rounded up."""
        return math.ceil(self.window * self.stride - 1e-6)  # 2/3 of a multiple of 3 is not to be one more

    def scaled_size(self, scale: float, height: int, width: int) -> tuple[int, int]:
        """Height and width of a picture at a scale, at least one pixel each.

        Example:
            >>> Protocol(long_side=512).scaled_size(0.5, 375, 500)
            (192, 256)
            >>> Protocol(short_side=600, longest=1000, multiple=8).scaled_size(1.0, 300, 600)
            (504, 1000)
        """
        if self.short_side:
            factor = scale * self.short_side / min(height, width)
            if self.longest:
                factor = min(factor, self.longest / max(height, width))
            height, width = (max(1, int(factor * side + 1e-6)) for side in (height, width))
            return self._rounded(height), self._rounded(width)
        if self.long_side:
            longer = round(scale * self.long_side)
            factor = longer / max(height, width)
            sides = (longer if side == max(height, width) else round(factor * side) for side in (height, width))
        else:
            sides = (round(scale * side) for side in (height, width))
        height, width = (max(1, side) for side in sides)
        return self._rounded(height), self._rounded(width)

    def _rounded(self, side: int) -> int:
        return -(-side // self.multiple) * self.multiple

    def describe(self) -> str:
        """Short description."""
        if self.is_plain:
            return "once, whole, at its own size"
        scales = ", ".join(f"{scale:g}" for scale in self.scales)
        parts = [f"at scale{'s' * (len(self.scales) > 1)} {scales}"]
        if self.long_side:
            parts.append(f"of a long side of {self.long_side}")
        if self.short_side:
            parts.append(f"of a short side of {self.short_side}")
        if self.longest:
            parts.append(f"(long side at most {self.longest})")
        if self.multiple > 1:
            parts.append(f"rounded up to multiples of {self.multiple}")
        if self.window:
            parts.append(f"in windows of {self.window} at steps of {self.step}")
        return (
            " ".join(parts)
            + ", each also mirrored" * self.flip
            + ", logits averaged" * (self.average == "logits")
            + ", windows blended" * (self.blend == "tapered")
        )

    def to_dict(self) -> dict[str, Any]:
        """Every value, plain, with the step in pixels."""
        values = asdict(self) | {"scales": list(self.scales), "step": self.step}
        if self.blend == "even":  # as reports and predictions of before say it
            del values["blend"]
        return values
