"""From image files to the input of a network: the range of their values, and the normalisation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from attseg.data.reading.bands import Bands, check_bands, check_ranges, choose_bands, describe_bands
from attseg.data.reading.image import read_image
from attseg.data.reading.opening import ImageSource
from attseg.data.reading.value_range import ValueRange, describe_range
from attseg.data.sample import Array
from attseg.errors import UsageError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def common_reading(names: Sequence[str], all_of: Sequence[Preprocessing]) -> Preprocessing:
    """The preprocessing by whose value range and bands several models read one image.

    Args:
        names: What the models are called.
        all_of: Their preprocessing.

    Raises:
        UsageError: Their ranges or bands differ.
    """
    for name, other in zip(names, all_of, strict=True):
        if other.bands != all_of[0].bands:
            first, second = (describe_bands(one.bands, None) for one in (all_of[0], other))
            raise UsageError(
                f"{names[0]} reads {first}, and {name} reads {second}; models that see the same image need the same bands"
            )
        if other.value_range != all_of[0].value_range:
            ranges = [
                describe_range(one.value_range) if one.value_range else "that of the type" for one in (all_of[0], other)
            ]
            raise UsageError(
                f"{names[0]} reads images by the value range {ranges[0]}, and {name} by {ranges[1]}; models that see the same "
                "image need the same range"
            )
    return all_of[0]


def check_same_bands(trained: Preprocessing, data: Bands | None, run: str = "the model") -> None:
    """Refuse data whose images are read by other bands than those that a model was trained on.

    Args:
        trained: Of the model.
        data: Bands that the data set states; None where its images are read as red, green and blue.
        run: What the model is called.

    Raises:
        UsageError: They differ.
    """
    stated = None if data is None else data.numbers
    if stated == trained.bands:
        return
    advice = "leave out --data.options.bands"
    if trained.bands is not None:
        advice = f"add --data.options.bands {','.join(map(str, trained.bands))}"
    given, taken = len(stated or (1, 2, 3)), len(trained.mean)
    raise UsageError(
        f"{run} takes {taken} {'channel' if taken == 1 else 'channels'} ({describe_bands(trained.bands, None)}), and the data "
        f"set gives {given} ({describe_bands(stated, None)}): {advice}, or train a model on these"
    )


@dataclass(frozen=True)
class Preprocessing:
    """How images become the input of a network; travels with the weights.

    Args:
        mean: Of red, green and blue, or of each chosen band, on the scale 0..1.
        std: Standard deviation of each.
        value_range: The values of image files that are black and white, as the data set states them; None takes 0..255 for 8 bits
            and 0..65535 for 16 bits. Images are scaled from it to bytes when they are read. With bands, a pair for all or for
            each.
        bands: Numbers of the bands of image files that the network sees, counted from 1; None reads red, green and blue.

    Example:
        >>> Preprocessing()(torch.zeros(1, 3, 2, 2, dtype=torch.uint8)).shape
        torch.Size([1, 3, 2, 2])
    """

    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    value_range: ValueRange | None = None
    bands: tuple[int, ...] | None = None

    def __call__(self, images: Tensor) -> Tensor:
        """Normalise bytes (N, C, H, W) to floats of the same shape, on the device where they are.

        Raises:
            UsageError: There are other channels than means.
        """
        self.check_channels(images.shape[1])
        mean = torch.tensor(self.mean, device=images.device).view(-1, 1, 1) * 255
        scale = 1 / (torch.tensor(self.std, device=images.device).view(-1, 1, 1) * 255)
        return images.float().sub_(mean).mul_(scale)

    def check_channels(self, given: int) -> None:
        """Refuse images of another number of channels.

        Raises:
            UsageError: The message says both numbers.
        """
        if given != self.channels:
            raise UsageError(
                f"an image of {given} {'channel' if given == 1 else 'channels'} was given, and the model takes {self.channels} "
                f"({describe_bands(self.bands, self.value_range)}): read these bands, or train a model on others "
                "(--data.options.bands)"
            )

    @property
    def channels(self) -> int:
        """How many channels images have."""
        return len(self.mean)

    @property
    def chosen(self) -> Bands | None:
        """The bands that are read of a file, filled by their means where there is no data; None for red, green and blue."""
        if self.bands is None:
            return None
        return Bands.filled(self.bands, self.mean)

    def read(self, source: ImageSource, **how: Any) -> Array:
        """Read an image by the bands and the value range; arguments and errors as of ``read_image``."""
        return read_image(source, value_range=self.value_range, bands=self.chosen, **how)

    def stated(self, options: Mapping[str, Any]) -> Preprocessing:
        """The same with the value range and the bands of the options of a data set, and with their statistics if it has some."""
        value_range, bands, statistics = choose_bands(*map(options.get, ("bands", "range", "mean", "std")))
        mean, std = statistics or (self.mean, self.std)
        return Preprocessing(mean, std, value_range, None if bands is None else bands.numbers)

    def __str__(self) -> str:
        """For people: ``mean 0.5, 0.5, 0.5; standard deviation 0.5, 0.5, 0.5``."""
        mean, std = (", ".join(f"{value:g}" for value in values) for values in (self.mean, self.std))
        return f"mean {mean}; standard deviation {std}"

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        stated: dict[str, Any] = {} if self.value_range is None else {"range": list(self.value_range)}
        stated |= {} if self.bands is None else {"bands": list(self.bands)}
        return {"mean": list(self.mean), "std": list(self.std)} | stated

    @property
    def version(self) -> int:
        """The least version of a file's header that can say all of this."""
        return 3 if self.bands is not None else 1 if self.value_range is None else 2

    @property
    def scaling(self) -> str:
        """How the values of image files become bytes, where a range is stated; else empty."""
        if self.value_range is None:
            return ""
        if len(self.value_range) > 2:
            return f"each band from its own range to bytes ({describe_range(self.value_range)}, low and high in turn)"
        low, high = (f"{value:.10g}" for value in self.value_range)
        return f"byte = round(255 * (value - {low}) / ({high} - {low})) of values from {low} to {high}"

    @classmethod
    def of(cls, model: nn.Module) -> Preprocessing:
        """Preprocessing for a new model: that of its encoder's pretraining, and ImageNet's for any other model.

        Raises:
            UsageError: The encoder takes other than three channels, whose statistics no pretraining knows.

        Example:
            >>> from attseg import PAN
            >>> Preprocessing.of(PAN(2, encoder="test_vit")).mean
            (0.485, 0.456, 0.406)
        """
        encoder = getattr(model, "encoder", None)
        mean, std = getattr(encoder, "mean", IMAGENET_MEAN), getattr(encoder, "std", IMAGENET_STD)
        if mean is None or std is None:
            raise UsageError(
                f"the encoder takes {getattr(encoder, 'in_channels', 'other')} channels, whose mean and standard deviation are "
                "not known; give Preprocessing(mean, std), as `attseg data check` measures them"
            )
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
        bands = None if values.get("bands") is None else check_bands(values["bands"])
        if len(mean) != len(std) or len(mean) != len(bands or IMAGENET_MEAN):
            raise ValueError(f"{len(mean)} means and {len(std)} deviations of {len(bands or IMAGENET_MEAN)} channels")
        value_range = None if stated is None else check_ranges(stated, len(mean))
        return cls(mean, std, value_range, bands)
