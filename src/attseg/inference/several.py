"""Sources of pictures: files, folders, patterns, and pictures in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from attseg.data.preprocessing import Preprocessing
from attseg.data.reading.arrays import from_array, from_tensor
from attseg.data.reading.inputs import find_pictures, is_pattern
from attseg.data.sample import Array
from attseg.errors import UsageError

Picture = Image.Image | npt.NDArray[Any] | Tensor
"""A picture in memory; ``attseg.data.reading.arrays`` says which shapes and types of arrays and tensors."""


def read_picture(source: str | Path | Picture, preprocessing: Preprocessing) -> Array:
    """Read one image by the value range and the bands of a model: (H, W, C) in 0..255.

    Raises:
        UsageError: An array or tensor that is no image.
        DataError: A file that cannot be read, or that holds values beyond the range.
    """
    if isinstance(source, str | Path | Image.Image):
        return preprocessing.read(source)
    if isinstance(source, np.ndarray):
        return from_array(source, value_range=preprocessing.value_range, bands=preprocessing.chosen)
    if isinstance(source, Tensor):
        return from_tensor(source, value_range=preprocessing.value_range, bands=preprocessing.chosen)
    raise UsageError(
        f"a {type(source).__name__} cannot be segmented; give a path, a picture of Pillow, an array (H, W, 3), "
        "a tensor (3, H, W), a folder, a pattern, or a list of these"
    )


def read_all(sources: Sequence[Any], read: Callable[[Any], Array]) -> Iterator[tuple[Array, str]]:
    """Pictures with their names, of a sequence of files, folders, patterns and pictures in memory."""
    if sources and all(isinstance(one, str | Path) for one in sources):
        yield from ((read(file.path), file.name) for file in find_pictures(sources))
        return
    for number, one in enumerate(sources, 1):
        if isinstance(one, str | Path):
            yield from ((read(file.path), file.name) for file in find_pictures([one]))
        else:
            yield read(one), f"picture-{number}"


def means_several(source: str | Path) -> bool:
    """Whether a path stands for a list of pictures: a folder or a pattern."""
    return Path(source).expanduser().is_dir() or is_pattern(source)
