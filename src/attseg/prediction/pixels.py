"""The network's input for a view: the part of the scaled image, read straight from the image's bytes.

No scaled picture ever stands in memory as a whole.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from attseg.data.preprocessing import Preprocessing
from attseg.prediction.views import Side, Span, View, resampled


def read_views(pixels: Tensor, views: list[View], preprocessing: Preprocessing, *, pad: bool) -> Tensor:
    """A batch of views that are all given equally much.

    Pictures are resized bilinearly without smoothing, as bytes and before they are normalised. Around a picture that is smaller
    than what the network is given stands zero, which is the mean colour, or else its border pixels are repeated.

    Args:
        pixels: (H, W, C) the whole picture, bytes, on the device where the network is.
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


def _read(pixels: Tensor, view: View) -> Tensor:
    """(h, w, C) What a view sees: bytes where the picture is not scaled, else floats in 0..255."""
    rows, columns = view.scaled
    if rows.full != rows.scaled:
        above, below, share = _neighbours(rows, view.rows, pixels.device)
        first, last = _reach(columns, view.columns)
        strip = pixels[:, first:last]  # so that a window of a very wide picture reads no more than it needs
        pixels = torch.lerp(strip[above].float(), strip[below].float(), share[:, None, None])
    else:
        first = 0
        pixels = pixels[view.rows.start : view.rows.stop]
    if columns.full == columns.scaled:
        return pixels[:, view.columns.start - first : view.columns.stop - first]
    left, right, share = _neighbours(columns, view.columns, pixels.device)
    return torch.lerp(pixels[:, left - first].float(), pixels[:, right - first].float(), share[:, None])


def _neighbours(side: Side, span: Span, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The two pixels of the picture between which each pixel of a span lies, and the share of the second."""
    places = torch.from_numpy(resampled(side.full, side.scaled)[span.start : span.stop])
    before = places.floor().long()
    after = (before + 1).clamp(max=side.full - 1)
    return before.to(device), after.to(device), (places - before).float().to(device)


def _reach(side: Side, span: Span) -> tuple[int, int]:
    """First pixel of the picture that a span is read from, and the one after the last."""
    places = resampled(side.full, side.scaled)
    return int(places[span.start]), min(int(places[span.stop - 1]) + 2, side.full)
