"""One way to draw each kind of attention map, so that any model with taps can be looked into."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from torch import Tensor

from attseg.data.sample import Array
from attseg.errors import UsageError
from attseg.explain.capture import AttentionMap
from attseg.explain.pixel import read_pixel
from attseg.layers import resize

Floats = npt.NDArray[np.float32]

OPACITY = 0.65
"""Share of the heat map's colour over the grey picture."""


class View(NamedTuple):
    """An attention map as a picture.

    Args:
        picture: What to show.
        low: What the darkest colour, or the foot of the bars, stands for.
        high: What the brightest colour, or the top of the bars, stands for.
    """

    picture: Image.Image
    low: float
    high: float


def draw_map(
    attention: AttentionMap,
    image: Array,
    *,
    item: int = 0,
    channel: int | None = None,
    at: tuple[int, int] | None = None,
) -> View:
    """Draw what a model attended to in a picture.

    ``spatial`` and ``class`` are heat maps over the picture, ``scale`` is one heat map a scale beside each other,
    ``pairwise`` is the heat map of where one pixel looks, ``channel`` is a bar a channel, and ``channel-pairs`` a bar for the
    mean weight of each channel in all others.

    Args:
        attention: A map that ``capture`` caught.
        image: (H, W, 3) the picture that went through the model.
        item: Place of the picture in its batch.
        channel: Which channel or class of a ``spatial`` or ``class`` map; None is the mean of all.
        at: The pixel (x, y) of a ``pairwise`` map, which is drawn in its own direction: where the pixel gathers from, or whom
            it gives to; None is the middle of the picture.

    Raises:
        UsageError: A channel or pixel that is not there.
    """
    weights = attention.weights[item].float().cpu()
    if attention.kind == "channel":
        return _bars(weights.flatten().numpy())
    if attention.kind == "channel-pairs":
        return _bars(weights.mean(1).numpy(), high=float(weights.mean(1).max()))
    if attention.kind == "scale":
        views = [heat_map(image, scale, 0.0, 1.0) for scale in weights]
        return View(_beside([view.picture for view in views]), 0.0, 1.0)
    if attention.kind == "pairwise":
        return _from_pixel(image, attention, weights, at)
    if channel is not None and not 0 <= channel < len(weights):
        raise UsageError(f"channel {channel} was asked for; {attention.name!r} has the channels 0..{len(weights) - 1}")
    chosen = weights.mean(0) if channel is None else weights[channel]
    if attention.kind == "class":  # from 0 to 1; a signed bias goes beyond
        return heat_map(image, chosen, min(0.0, float(weights.min())), max(1.0, float(weights.max())))
    return heat_map(image, chosen)


def heat_map(image: Array, weights: Tensor, low: float | None = None, high: float | None = None) -> View:
    """Lay weights over a picture as colours, dark to bright, even to the eye and readable to the colour-blind.

    Args:
        image: (H, W, 3) the picture.
        weights: (h, w) at any resolution; brought to the picture's bilinearly.
        low: Value of the darkest colour; None is the smallest weight.
        high: Value of the brightest colour; None is the largest weight.
    """
    low = float(weights.min()) if low is None else low
    high = float(weights.max()) if high is None else high
    fine = resize(weights[None, None], image.shape[:2])[0, 0].numpy()
    heat = colormaps["inferno"]((fine - low) / max(high - low, torch.finfo(torch.float32).tiny))[..., :3]
    grey = image @ np.array((0.299, 0.587, 0.114)) / 255
    mixed = OPACITY * heat + (1 - OPACITY) * grey[..., None]
    return View(Image.fromarray(np.rint(255 * mixed).astype(np.uint8)), low, high)


def _from_pixel(image: Array, attention: AttentionMap, weights: Tensor, at: tuple[int, int] | None) -> View:
    """Weights of one pixel with all others, as target or source, of ``weights`` (sources H*W, targets H, W)."""
    height, width = image.shape[:2]
    x, y = at or (width // 2, height // 2)
    if not (0 <= x < width and 0 <= y < height):
        raise UsageError(f"the pixel ({x}, {y}) lies outside the picture, which is {width} wide and {height} high")
    one = AttentionMap(attention.name, "pairwise", weights[None], attention.direction)
    (read,) = read_pixel([one], x=x, y=y, size=(height, width))
    view = heat_map(image, torch.from_numpy(read.values), low=0.0)
    radius = max(3, min(height, width) // 60)
    ring = (x - radius, y - radius, x + radius, y + radius)
    ImageDraw.Draw(view.picture).ellipse(ring, outline="white", width=max(1, radius // 3))
    return view


def _bars(values: Floats, *, high: float | None = None) -> View:
    """A bar a channel, on no background, so that it shows on light and on dark pages."""
    high = max(float(values.max()), 1.0) if high is None else high
    figure = Figure(figsize=(4, 1.6), layout="constrained", facecolor="none")
    axes = figure.add_subplot(facecolor="none")
    axes.fill_between(np.arange(len(values) + 1) - 0.5, [*values, values[-1]], step="post", color="#3b8fc4")
    axes.axhline(float(values.mean()), color="#e07b39", linewidth=1.5)
    axes.set_xlim(-0.5, len(values) - 0.5)
    axes.set_ylim(0, high)
    axes.set_xlabel("channel")
    axes.tick_params(colors="#808080")
    axes.xaxis.label.set_color("#808080")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#808080")
    return View(_rendered(figure), 0.0, high)


def _rendered(figure: Figure) -> Image.Image:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba()))


def _beside(pictures: list[Image.Image]) -> Image.Image:
    gap = 4
    strip = Image.new("RGB", (sum(each.width + gap for each in pictures) - gap, pictures[0].height), "white")
    left = 0
    for picture in pictures:
        strip.paste(picture, (left, 0))
        left += picture.width + gap
    return strip
