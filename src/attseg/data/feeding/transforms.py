"""Random scale, rotation, crop, flip, blur and colours, jointly for a picture and its labels.

Everything random is drawn first; what remains is one ``CropBox`` of the picture, resampled once, and byte arithmetic on the crop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attseg.data.feeding.crop import CropBox
from attseg.data.sample import Sample
from attseg.errors import UsageError

MIN_CROP = 32
SCALE_LIMITS = (0.1, 10.0)
BLUR_SIGMA = (0.4, 1.1)
"""Smallest and largest standard deviation of the blur, in pixels of the crop."""
_BLUR_ROWS = 64  # as many as the cache holds


@dataclass(frozen=True, eq=False)
class TrainTransform:
    """Cuts a random crop of fixed size from a picture and its labels, scaled, turned, mirrored, blurred and recoloured.

    The scale factor is rounded so that the crop shows whole source pixels. The crop lies anywhere within the scaled picture; a
    scaled picture that is smaller than the crop stands in its middle. Outside of the picture the crop has the colour ``fill``,
    and the labels are 255.

    Args:
        crop_size: (height, width) of the result.
        scale: Smallest and largest factor, drawn uniformly.
        scales: Factors of which one is drawn; used instead of ``scale`` where given.
        cover: Whether a factor is raised to what fills the crop.
        flip: Mirror left and right half of the time.
        flip_vertical: Mirror top and bottom half of the time.
        quarter_turns: Turn by a multiple of 90 degrees, each equally often, without resampling.
        rotate: Largest angle, in degrees, to either side; the picture turns about its middle.
        blur: Probability of a Gaussian blur, whose standard deviation is drawn from ``BLUR_SIGMA``.
        color: Largest relative change of brightness, contrast and saturation (of the whole crop, ``fill`` too); 0 is none. Only
            red, green and blue have colours to change.
        fill: What stands outside of the picture, (red, green, blue) or a byte for each channel; the default is the mean colour of
            ImageNet.

    Raises:
        UsageError: A crop under 32 pixels; a factor outside of 0.1..10, or reversed; an angle outside of 0..180; a probability
            or strength outside of 0..1; a fill that is no bytes, or colours
            of other than three channels.

    Reading:
        PSANet says "random rotation between -10 and 10 degrees" and "random Gaussian blur"; its released code turns and blurs
        half of the pictures, with a window of 5 x 5. Here all are turned; the blur has the same window and a random width.

    Example:
        >>> sample = Sample(np.zeros((90, 120, 3), np.uint8), np.zeros((90, 120), np.uint8), "a")
        >>> image, labels = TrainTransform((64, 64), rotate=10, blur=0.5)(sample, np.random.default_rng(0))
        >>> image.shape, image.dtype, labels.shape
        (torch.Size([3, 64, 64]), torch.uint8, torch.Size([64, 64]))
    """

    crop_size: tuple[int, int]
    _: KW_ONLY
    scale: tuple[float, float] = (0.5, 2.0)
    scales: tuple[float, ...] = ()
    cover: bool = False
    flip: bool = True
    flip_vertical: bool = False
    quarter_turns: bool = False
    rotate: float = 0.0
    blur: float = 0.0
    color: float = 0.0
    fill: Sequence[int] = (124, 116, 104)

    def __post_init__(self) -> None:
        if len(self.crop_size) != 2 or min(self.crop_size) < MIN_CROP:
            raise UsageError(
                f"crop_size is {self.crop_size}; (height, width) of at least {MIN_CROP} pixels each were expected"
            )
        low, high = SCALE_LIMITS
        if len(self.scale) != 2 or not low <= self.scale[0] <= self.scale[1] <= high:
            raise UsageError(
                f"scale is {self.scale}; the smallest and the largest factor were expected, in this order, between {low} and "
                f"{high}"
            )
        for factor in self.scales:
            if not low <= factor <= high:
                raise UsageError(f"scales holds {factor}; factors between {low} and {high} were expected")
        if not 0 <= self.rotate <= 180:
            raise UsageError(
                f"rotate is {self.rotate}; the largest angle to either side was expected, between 0 and 180 degrees"
            )
        if not 0 <= self.blur <= 1:
            raise UsageError(f"blur is {self.blur}; the probability of a blur was expected, between 0 and 1")
        if not 0 <= self.color <= 1:
            raise UsageError(f"color is {self.color}; the largest relative change was expected, between 0 and 1")
        if not self.fill or not all(0 <= value <= 255 for value in self.fill):
            raise UsageError(
                f"fill is {self.fill}; a value in 0..255 for each channel was expected, such as red, green and blue"
            )
        if self.color and len(self.fill) != 3:
            raise UsageError(
                f"color is {self.color}, and images have {len(self.fill)} channels; only red, green and blue have colours"
            )

    def __call__(self, sample: Sample, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """The crop (C, h, w) and its labels (h, w), both bytes.

        Draws ten numbers from ``rng``, and two more for vertical flips or quarter turns.
        """
        scale, y, x, angle, flip, blur, sigma, *colors = rng.random(10).tolist()
        factor = self.scales[int(scale * len(self.scales))] if self.scales else _between(*self.scale, scale)
        if self.cover:
            factor = max(factor, *(crop / side for crop, side in zip(self.crop_size, sample.labels.shape, strict=True)))
        radians = math.radians(_between(-self.rotate, self.rotate, angle))
        vertical, turn = rng.random(2).tolist() if self.flip_vertical or self.quarter_turns else (1.0, 0.0)
        turns = int(4 * turn) if self.quarter_turns else 0
        size = self.crop_size[::-1] if turns % 2 else self.crop_size
        view = _view(sample.labels.shape, size, factor, (y, x), radians)
        image, labels = view.image(sample.image, self.fill), view.labels(sample.labels)
        if turns:
            image, labels = image.rot90(turns, (-2, -1)), labels.rot90(turns, (-2, -1))
        if self.flip_vertical and vertical < 0.5:
            image, labels = image.flip(-2), labels.flip(-2)
        if self.flip and flip < 0.5:
            image, labels = image.flip(-1), labels.flip(-1)
        if blur < self.blur:
            image = _blurred(image, _between(*BLUR_SIGMA, sigma))
        if self.color:
            image = _recolored(image, *(_between(1 - self.color, 1 + self.color, color) for color in colors))
        return image, labels


def _between(low: float, high: float, number: float) -> float:
    return low + (high - low) * number


def _view(
    size: tuple[int, ...], crop_size: tuple[int, int], scale: float, place: tuple[float, float], angle: float
) -> CropBox:
    """The crop of a picture scaled by ``scale``, at a place in 0..1 downwards and to the right."""
    height, width = (max(1, round(side / scale)) for side in crop_size)
    top, left = (
        int(number * (room + 1)) if room >= 0 else room // 2
        for room, number in zip((size[0] - height, size[1] - width), place, strict=True)
    )
    return CropBox(top, left, height, width, angle, crop_size)


def _blurred(image: Tensor, sigma: float) -> Tensor:
    """Gaussian over a window of 5 x 5 pixels, in whole numbers (weights are multiples of 1/256); border pixels are repeated."""
    gauss = np.exp(-np.square(np.arange(3) / sigma) / 2)
    near, far = np.rint(256 * gauss[1:] / (gauss[0] + 2 * gauss[1:].sum())).astype(np.uint16)
    weights = np.array([256 - 2 * (near + far), near, far], np.uint16)
    _, height, width = image.shape
    padded = np.pad(image.numpy(), ((0, 0), (2, 2), (2, 2)), mode="edge")
    blurred = np.empty(image.shape, np.uint8)
    for source, target in zip(padded, blurred, strict=True):
        for top in range(0, height, _BLUR_ROWS):
            rows = source[top : top + _BLUR_ROWS + 4].astype(np.uint16)
            rows = _weighed([rows[shift : len(rows) - 4 + shift] for shift in range(5)], weights)
            target[top : top + _BLUR_ROWS] = _weighed([rows[:, shift : shift + width] for shift in range(5)], weights)
    return torch.from_numpy(blurred)


def _weighed(shifted: list[npt.NDArray[np.uint16]], weights: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """The weighted sum of five equal shapes, weights being those of the middle one and of the first and second to its sides."""
    total = shifted[2] * weights[0]
    for distance in (1, 2):
        pair = shifted[2 - distance] + shifted[2 + distance]
        pair *= weights[distance]
        total += pair
    total += 128
    total >>= 8
    return total


def _recolored(image: Tensor, brightness: float, contrast: float, saturation: float) -> Tensor:
    """Brightness, then contrast (about the mean grey), then saturation: together one affine map of colours."""
    pixels = image.numpy().astype(np.float32)
    gray = 0.299 * pixels[0] + 0.587 * pixels[1] + 0.114 * pixels[2]
    pixels *= brightness * contrast * saturation
    pixels += brightness * contrast * (1 - saturation) * gray + brightness * (1 - contrast) * gray.mean()
    return torch.from_numpy(np.rint(pixels.clip(0, 255, out=pixels), out=pixels).astype(np.uint8))
