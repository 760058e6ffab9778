"""Which part of a picture a crop shows, and how that part is resampled.

Only a box of the picture is read, whatever the scale; neither the scaled nor the turned picture ever exists. Pixel centres lie at
halves (``align_corners=False``), so the pixel in row i spans i..i+1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from attseg.data.classes import IGNORE
from attseg.data.sample import Array


@dataclass(frozen=True)
class CropBox:
    """A box of whole source pixels, turned about the middle of the picture and resampled to a crop.

    The picture is interpolated linearly; where it shrinks it is averaged first, so that nothing aliases. Labels take the nearest
    pixel. Outside of the picture the crop has a fill colour, and its labels are 255.

    Args:
        top: First row of the box; negative above the picture.
        left: First column of the box; negative left of the picture.
        height: Rows of the box.
        width: Columns of the box.
        angle: How far the box is turned, in radians.
        crop_size: (height, width) that the box is resampled to.
    """

    top: int
    left: int
    height: int
    width: int
    angle: float
    crop_size: tuple[int, int]

    def image(self, picture: Array, fill: Sequence[int]) -> Tensor:
        """The view of an image (H, W, C): bytes (C, h, w)."""
        if self.angle:
            return self._turned(picture, fill)
        box = _cut(picture, self.top, self.left, self.height, self.width, fill)
        return _resized(box, self.crop_size).contiguous()

    def labels(self, labels: Array) -> Tensor:
        """The view of labels (H, W): bytes (h, w)."""
        matrix = tuple(self._matrix(*labels.shape).flat)
        size = self.crop_size[1], self.crop_size[0]
        view = Image.fromarray(labels).transform(
            size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST, fillcolor=IGNORE
        )
        return torch.from_numpy(np.array(view))

    def _turned(self, picture: Array, fill: Sequence[int]) -> Tensor:
        """Shrinks the upright box around the turned one, if at all, then reads the turned one off it, bilinearly."""
        matrix = self._matrix(*picture.shape[:2])
        shrink = [min(1.0, crop / side) for crop, side in zip(self.crop_size, (self.height, self.width), strict=True)]
        margin = 1 + math.ceil(1 / min(shrink))  # interpolation reaches one shrunk pixel beyond
        bottom, right = self.crop_size
        corners = matrix @ [(0, right, 0, right), (0, 0, bottom, bottom), (1, 1, 1, 1)]
        left, top = (math.floor(side) - margin for side in corners.min(1))
        right, bottom = (math.ceil(side) + margin for side in corners.max(1))
        height, width = bottom - top, right - left
        box = _cut(picture, top, left, height, width, fill)
        pixels = _resized(box, (math.ceil(height * shrink[0]), math.ceil(width * shrink[1])))
        grid = _grid(matrix - [(0, 0, left), (0, 0, top)], (height, width), self.crop_size)
        turned = F.grid_sample(
            pixels.contiguous().float()[None], grid[None], padding_mode="border", align_corners=False
        )
        return torch.from_numpy(np.rint(turned[0].numpy()).astype(np.uint8))

    def _matrix(self, height: int, width: int) -> npt.NDArray[np.float64]:
        """(2, 3) From (x, y, 1) in the crop to (x, y) in a picture of this size."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        scale_y, scale_x = self.height / self.crop_size[0], self.width / self.crop_size[1]
        x, y = self.left - width / 2, self.top - height / 2
        return np.array(
            [
                (cos * scale_x, -sin * scale_y, width / 2 + cos * x - sin * y),
                (sin * scale_x, cos * scale_y, height / 2 + sin * x + cos * y),
            ]
        )


def _cut(picture: Array, top: int, left: int, height: int, width: int, fill: Sequence[int]) -> Array:
    """A box of a picture (H, W, C), with the fill colour where it lies outside."""
    inside = picture[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    if inside.shape[:2] == (height, width):
        return inside
    box = np.empty((height, width, picture.shape[2]), np.uint8)
    # whole rows are copied much faster than pixels
    box.reshape(height, -1)[:] = np.tile(np.array(fill, np.uint8), width)
    y, x = max(-top, 0), max(-left, 0)
    box[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return box


def _resized(box: Array, size: tuple[int, int]) -> Tensor:
    """A box (H, W, C) as bytes (C, h, w): linear where it grows, averaged where it shrinks; itself where neither."""
    pixels = torch.tensor(box).permute(2, 0, 1)  # copied, because arrays of pictures may be read-only
    if box.shape[:2] == size:
        return pixels
    return F.interpolate(pixels[None], size, mode="bilinear", antialias=True)[0]


def _grid(matrix: npt.NDArray[np.float64], box: tuple[int, int], crop: tuple[int, int]) -> Tensor:
    """(h, w, 2) Where in a box each pixel of the crop lies, from -1 to 1; x and y are the two parts of a complex number."""
    y, x = (np.arange(side) + 0.5 for side in crop)
    along_x, along_y, start = 2 / box[1] * matrix[0] + 2j / box[0] * matrix[1]
    grid = np.add.outer((along_y * y).astype(np.complex64), (along_x * x + start - (1 + 1j)).astype(np.complex64))
    return torch.from_numpy(grid.view(np.float32).reshape(*crop, 2))
