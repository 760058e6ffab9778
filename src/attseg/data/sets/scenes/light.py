"""Effects of light and camera on a painted image."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from attseg.data.sample import Array


def photograph(picture: Image.Image, rng: np.random.Generator) -> Array:
    """The picture (H, W, 3) under light that falls off to one side, tinted, sometimes out of focus, with grain.

    A pixel becomes what its place and its direct neighbours make of it; the rest of the picture does not matter.
    """
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.BoxBlur(rng.uniform(0.3, 0.9)))
    exposure, fall, grain = rng.uniform(0.78, 1.16), rng.uniform(-0.14, 0.14), rng.uniform(1, 6)
    tint = rng.uniform(0.95, 1.05, 3)
    image = np.asarray(picture, np.float32)
    height, width, _ = image.shape
    light = exposure * (1 + fall * np.linspace(-1, 1, width))
    image = image * (light[:, None] * tint).astype(np.float32)
    noise = rng.random((2, height, width, 1), np.float32).sum(axis=0) - 1
    image += np.float32(2 * grain) * noise
    return np.clip(image, 0, 255, out=image).astype(np.uint8)
