"""From image files to the input of a network: the range of their values, and the normalisation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from attseg.data.reading.value_range import ValueRange, check_range, describe_range
from attseg.errors import UsageError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def common_range(names: Sequence[str], all_of: Sequence[Preprocessing]) -> ValueRange | None:
    """The value range by which several models read one image.

    Args:
        names: What the models are called.
        all_of: Their preprocessing.

    Raises:
        UsageError: Their ranges differ.
    """
    for name, other in zip(names, all_of, strict=True):
        if other.value_range != all_of[0].value_range:
            ranges = [
                describe_range(one.value_range) if one.value_range else "that of the type" for one in (all_of[0], other)
            ]
            raise UsageError(
                f"{names[0]} reads images by the value range {ranges[0]}, and {name} by {ranges[1]}; models that see the same "
                "image need the same range"
            )
    return all_of[0].value_range if all_of else None


@dataclass(frozen=True)
class Preprocessing:
    """How images become the input of a network; travels with the weights.

    Args:
        mean: Of red, green and blue, on the scale 0..1.
        std: Standard deviation of each.
        value_range: The values of image files that are black and white, as the data set states them; None takes 0..255 for 8 bits
            and 0..65535 for 16 bits. Images are scaled from it to bytes when they are read.

    Example:
        >>> Preprocessing()(torch.zeros(1, 3, 2, 2, dtype=torch.uint8)).shape
        torch.Size([1, 3, 2, 2])
    """

    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    value_range: ValueRange | None = None

    def __call__(self, images: Tensor) -> Tensor:
        """Normalise bytes (N, 3, H, W) to floats of the same shape, on the device where they are."""
        mean = torch.tensor(self.mean, device=images.device).view(3, 1, 1) * 255
        scale = 1 / (torch.tensor(self.std, device=images.device).view(3, 1, 1) * 255)
        return images.float().sub_(mean).mul_(scale)

    def __str__(self) -> str:
        """For people: ``mean 0.5, 0.5, 0.5; standard deviation 0.5, 0.5, 0.5``."""
        mean, std = (", ".join(f"{value:g}" for value in values) for values in (self.mean, self.std))
        return f"mean {mean}; standard deviation {std}"

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        stated = {} if self.value_range is None else {"range": list(self.value_range)}
        return {"mean": list(self.mean), "std": list(self.std)} | stated

    @property
    def scaling(self) -> str:
        """How the values of image files become bytes, where a range is stated; else empty."""
        if self.value_range is None:
            return ""
        low, high = (f"{value:.10g}" for value in self.value_range)
        return f"byte = round(255 * (value - {low}) / ({high} - {low})) of values from {low} to {high}"

    @classmethod
    def of(cls, model: nn.Module) -> Preprocessing:
        """Preprocessing for a new model: that of its encoder's pretraining, and ImageNet's for any other model.

        Example:
            >>> from attseg import PAN
            >>> Preprocessing.of(PAN(2, encoder="test_vit")).mean
            (0.485, 0.456, 0.406)
        """
        encoder = getattr(model, "encoder", None)
        mean, std = getattr(encoder, "mean", IMAGENET_MEAN), getattr(encoder, "std", IMAGENET_STD)
        return cls.from_dict({"mean": mean, "std": std})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """The inverse of ``to_dict``.

        Raises:
            ValueError: A number is not finite, a deviation not above 0, or the range is none.
        """
        mean, std = (tuple(float(value) for value in values[key]) for key in ("mean", "std"))
        if not all(map(math.isfinite, mean + std)) or min(std) <= 0:
            raise ValueError(f"mean {mean} and deviation {std}; finite numbers were expected, and deviations above 0")
        stated = values.get("range")
        value_range = None if stated is None else check_range(stated)
        return cls((mean[0], mean[1], mean[2]), (std[0], std[1], std[2]), value_range)
