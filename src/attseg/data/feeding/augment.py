"""Augmentation of one's own: a callable on an image and its labels, before the crop is cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from attseg.data.sample import Array, DataError, Sample, check_sample

Augment = Callable[[Array, Array, np.random.Generator], tuple[Array, Array]]
"""Takes an image (H, W, 3) and its labels (H, W), both bytes, to others, which may have another size. What it draws at random
has to come from the generator, so that a resumed run sees the same; other libraries are seeded from it."""


def augmented(sample: Sample, augment: Augment, num_classes: int, rng: np.random.Generator) -> Sample:
    """A sample after an augmentation; the callable may write into what it is given.

    Raises:
        DataError: It gave something that is no sample; the message says what was expected.

    Example:
        >>> def shifted(image, labels, rng):
        ...     shift = int(rng.integers(-8, 9))
        ...     return np.roll(image, shift, axis=1), np.roll(labels, shift, axis=1)
        >>> sample = Sample(np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8), "a")
        >>> augmented(sample, shifted, 2, np.random.default_rng(0))
        Sample('a', 4 x 6)
    """
    try:
        found = augment(sample.image.copy(), sample.labels.copy(), rng)
    except Exception as error:
        error.add_note(f"in the augmentation of {sample.name!r}")
        raise
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise DataError(f"the augmentation gave a {type(found).__name__}; a tuple (image, labels) was expected")
    try:
        checked = check_sample(Sample(*found, sample.name), num_classes, sample.name, channels=sample.image.shape[2])
    except DataError as error:
        raise DataError(f"after the augmentation: {error}") from None
    return replace(  # views such as image[::-1] have negative strides, which PyTorch refuses
        checked, image=np.ascontiguousarray(checked.image), labels=np.ascontiguousarray(checked.labels)
    )


def name_of(augment: Augment | None) -> str | None:
    """The name of an augmentation in a run; None for none."""
    return None if augment is None else getattr(augment, "__qualname__", type(augment).__qualname__)
