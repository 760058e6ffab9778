"""How much of a picture a bundle keeps, and the picture itself as text."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import nn

from attseg.data.sample import Array
from attseg.explain.change import MapChange
from attseg.explain.passes import Passes
from attseg.explain.planes import encode_bytes
from attseg.explain.switching import describe

LONGEST = 1200
"""Longest side, in pixels, at which pictures, classes and scores are kept."""

LOSSLESS = 400_000
"""Pixels up to which a picture is kept as PNG; larger ones as JPEG."""


def kept_size(height: int, width: int) -> tuple[int, int]:
    """Height and width at which a picture is kept."""
    shrink = min(1.0, LONGEST / max(height, width))
    return max(1, round(height * shrink)), max(1, round(width * shrink))


def kept_places(full: tuple[int, int], size: tuple[int, int]) -> list[npt.NDArray[np.int64]]:
    """Rows and columns of the picture that are kept."""
    return [(2 * np.arange(kept) + 1) * length // (2 * kept) for kept, length in zip(size, full, strict=True)]


def data_uri(image: Array, size: tuple[int, int]) -> str:
    """A picture of a size as the address of an image."""
    picture = Image.fromarray(image)
    if size != image.shape[:2]:
        picture = picture.resize((size[1], size[0]), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    if picture.width * picture.height <= LOSSLESS:
        picture.save(buffer, "PNG", optimize=True)
        kind = "png"
    else:
        picture.save(buffer, "JPEG", quality=90)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def switch_values(change: MapChange, full: tuple[int, int], model: nn.Module) -> dict[str, Any]:
    """What becomes of a picture without a map, as the SWITCH of ``bundle``.

    Args:
        change: Of one map.
        full: Height and width of the picture.
        model: The model.
    """
    shown, passes = change.within(*full), Passes(model)
    tap = next(tap for path, tap in passes.taps.items() if shown.maps[0] in passes.names_of(path))
    return {
        "map": shown.maps[0],
        "how": shown.how,
        "means": describe(tap, shown.how),
        "share": round(shown.share, 6),
        "moved": round(float(shown.shift.mean()), 6),
        "labels": encode_bytes(shown.labels[np.ix_(*kept_places(full, kept_size(*full)))]),
    }
