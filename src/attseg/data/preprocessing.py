"""From bytes to what a network takes: the one place where pictures are normalised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """Mean and standard deviation of the channels (red, green, blue) on the scale 0..1; travels with the weights.

    Example:
        >>> Preprocessing()(torch.zeros(1, 3, 2, 2, dtype=torch.uint8)).shape
        torch.Size([1, 3, 2, 2])
    """

    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def __call__(self, images: Tensor) -> Tensor:
        """Normalise bytes (N, 3, H, W) to floats of the same shape, on the device where they are."""
        mean = torch.tensor(self.mean, device=images.device).view(3, 1, 1) * 255
        scale = 1 / (torch.tensor(self.std, device=images.device).view(3, 1, 1) * 255)
        return images.float().sub_(mean).mul_(scale)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """What ``to_dict`` described.

        Raises:
            ValueError: A number is not finite, or a deviation not above 0.
        """
        mean, std = (tuple(float(value) for value in values[key]) for key in ("mean", "std"))
        if not all(map(math.isfinite, mean + std)) or min(std) <= 0:
            raise ValueError(f"mean {mean} and deviation {std}; finite numbers were expected, and deviations above 0")
        return cls((mean[0], mean[1], mean[2]), (std[0], std[1], std[2]))
