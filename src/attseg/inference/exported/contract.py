"""The contract of an exported file: its inputs and outputs, as chosen at export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from attseg.errors import UsageError, unknown

Takes = Literal["bytes", "floats"]
Gives = Literal["labels", "probabilities", "logits"]
Size = tuple[int, int]

INPUT = "images"
"""Name of the one input."""

LARGEST = 16384
"""Longest side of a picture that a file is made for; memory ends before it."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Inputs and outputs of an exported file. The batch size is free in any file.

    Args:
        takes: ``bytes``: (N, H, W, C) uint8, red, green, blue or other bands, and the file normalises them.
            ``floats``: (N, C, H, W) float32, normalised by whoever runs the file.
        gives: ``labels``: ``labels`` (N, H, W) uint8, the class index of each pixel in 0..K-1 (not the value that label files of
            the data set hold), and ``scores`` (N, H, W) float32, its probability. ``probabilities`` or ``logits``: (N, K, H, W)
            float32 under that name. All have the images' size.
        size: Height and width of all pictures; None takes pictures of any size.
        resize: Height and width at which the network sees each picture, whatever its size; None shows it as it is.
        least: Least height and width of a picture.
        channels: Channels C of a picture.

    Raises:
        UsageError: An unknown word, a size that makes no sense, or ``size`` together with ``resize``.

    Example:
        >>> Contract().outputs, Contract(gives="logits", takes="floats").describe_input()
        (('labels', 'scores'), '`images` float32 (N, 3, H, W), normalised')
    """

    takes: Takes = "bytes"
    gives: Gives = "labels"
    size: Size | None = None
    resize: Size | None = None
    least: int = 32
    channels: int = 3

    def __post_init__(self) -> None:
        for name, value, known in (("takes", self.takes, Takes), ("gives", self.gives, Gives)):
            if value not in get_args(known):
                raise unknown(f"word for what a file {name}", value, get_args(known))
        for name, size in (("size", self.size), ("resize", self.resize)):
            if size is not None and not all(self.least <= side <= LARGEST for side in size):
                raise UsageError(
                    f"{name} is {size[0]} x {size[1]} (height x width); {self.least} to {LARGEST} pixels a side were expected"
                )
        if self.size and self.resize:
            raise UsageError(
                "size and resize were both given; size makes a file for pictures of that size alone, resize one that scales "
                "pictures of any size to it: choose one"
            )

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in their order."""
        return ("labels", "scores") if self.gives == "labels" else (self.gives,)

    @property
    def smallest(self) -> int:
        """Least side of a picture of any size; what is scaled inside may be as small as it likes."""
        return 1 if self.resize else self.least

    def describe_input(self) -> str:
        """Name, type and shape of the input."""
        height, width = self.size or ("H", "W")
        if self.takes == "bytes":
            return f"`{INPUT}` uint8 (N, {height}, {width}, {self.channels}), {self._colours}"
        return f"`{INPUT}` float32 (N, {self.channels}, {height}, {width}), normalised"

    @property
    def _colours(self) -> str:
        return "red, green, blue" if self.channels == 3 else "each band scaled to 0..255"

    def describe_output(self) -> str:
        """Name, type and shape of each output."""
        height, width = self.size or ("H", "W")
        if self.gives == "labels":
            shape = f"(N, {height}, {width})"
            return f"`labels` uint8 {shape}, class indices in 0..K-1, `scores` float32 {shape}"
        return f"`{self.gives}` float32 (N, K, {height}, {width})"

    def describe_sizes(self) -> str:
        """Which pictures it takes."""
        if self.size:
            return f"pictures of {self.size[0]} x {self.size[1]} (height x width) alone"
        if self.resize:
            return (
                f"pictures of any size, which the network sees at {self.resize[0]} x {self.resize[1]} (height x width)"
            )
        return f"pictures of any height and width from {self.least} on"

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "takes": self.takes,
            "gives": self.gives,
            "size": self.size and list(self.size),
            "resize": self.resize and list(self.resize),
            "least": self.least,
        } | ({} if self.channels == 3 else {"channels": self.channels})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Contract:
        """The inverse of ``to_dict``."""
        sizes = {name: None if values[name] is None else _size(values[name]) for name in ("size", "resize")}
        return cls(
            takes=values["takes"],
            gives=values["gives"],
            least=int(values["least"]),
            channels=int(values.get("channels", 3)),
            **sizes,
        )


def _size(values: Any) -> Size:
    height, width = values
    return int(height), int(width)
