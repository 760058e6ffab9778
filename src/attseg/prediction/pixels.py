"""The network's input for a view: the part of the scaled image, read straight from the image's bytes.

No scaled picture ever stands in memory as a whole.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import Array
from attseg.prediction.views import Axis, Extent, ScaledView, resampled


class PixelSource(Protocol):
    """Where the pixels of a picture come from: from memory, or from a file that is read in parts."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        ...

    def crop(self, top: int, bottom: int, left: int, right: int) -> Tensor:
        """(bottom - top, right - left, C) Bytes, on the device."""
        ...


class InMemory:
    """A picture that is in memory as a whole.

    Args:
        image: (H, W, C) bytes.
        device: Where the network is.
    """

    def __init__(self, image: Array, device: torch.device) -> None:
        self._pixels = torch.from_numpy(np.ascontiguousarray(image)).to(device)
        self.shape: tuple[int, int, int] = (image.shape[0], image.shape[1], image.shape[2])
        self.device = device

    def crop(self, top: int, bottom: int, left: int, right: int) -> Tensor:
        """A part of it, which shares its memory."""
        return self._pixels[top:bottom, left:right]


def read_views(pixels: PixelSource, views: list[ScaledView], preprocessing: Preprocessing, *, pad: bool) -> Tensor:
    """A batch of views that are all given equally much.

    Pictures are resized bilinearly without smoothing, as bytes and before they are normalised. Around a picture that is smaller
    than what the network is given stands zero, which is the mean colour, or else its border pixels are repeated.

    Args:
        pixels: The whole picture.
        views: What to read.
        preprocessing: What the model was trained with.
        pad: Whether zero stands around small pictures.

    Returns:
        (N, C, h, w), with channels innermost in memory.
    """
    preprocessing.check_channels(pixels.shape[2])
    shape = (len(views), pixels.shape[2], *views[0].given)
    batch = torch.empty(shape, device=pixels.device, memory_format=torch.channels_last).zero_()
    for place, view in zip(batch, views, strict=True):
        part = preprocessing(_read(pixels, view).permute(2, 0, 1)[None])
        rows, columns = view.rows, view.columns
        if not pad and part.shape[2:] != place.shape[1:]:
            part = F.pad(part, (0, columns.given - part.shape[3], 0, rows.given - part.shape[2]), mode="replicate")
        place[:, rows.before :, columns.before :][:, : part.shape[2], : part.shape[3]] = part[0]
    return batch


def _read(source: PixelSource, view: ScaledView) -> Tensor:
    """(h, w, C) What a view sees: bytes where the picture is not scaled, else floats in 0..255."""
    rows, columns = view.scaled
    top, bottom = _reach(rows, view.rows)
    left, right = _reach(columns, view.columns)
    pixels = source.crop(top, bottom, left, right)
    if rows.full != rows.scaled:
        above, below, share = _neighbours(rows, view.rows, pixels.device)
        pixels = torch.lerp(pixels[above - top].float(), pixels[below - top].float(), share[:, None, None])
    if columns.full == columns.scaled:
        return pixels
    before, after, share = _neighbours(columns, view.columns, pixels.device)
    return torch.lerp(pixels[:, before - left].float(), pixels[:, after - left].float(), share[:, None])


def _neighbours(side: Axis, span: Extent, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The two pixels of the picture between which each pixel of a span lies, and the share of the second."""
    places = torch.from_numpy(resampled(side.full, side.scaled)[span.start : span.stop])
    before = places.floor().long()
    after = (before + 1).clamp(max=side.full - 1)
    return before.to(device), after.to(device), (places - before).float().to(device)


def _reach(side: Axis, span: Extent) -> tuple[int, int]:
    """First pixel of the picture that a span is read from, and the one after the last."""
    if side.full == side.scaled:
        return span.start, span.stop
    places = resampled(side.full, side.scaled)
    return int(places[span.start]), min(int(places[span.stop - 1]) + 2, side.full)
