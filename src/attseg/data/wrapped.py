"""Data sets of one's own that give pairs of an image and its labels, such as a ``torch.utils.data.Dataset``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.sample import Array, DataError, Sample, SegmentationData
from attseg.errors import UsageError
from attseg.text import dimensions


class WrappedData:
    """A split made of any sequence of pairs (image, labels).

    Args:
        dataset: Anything with a length and pairs by index, such as a ``torch.utils.data.Dataset``. An image is a picture of
            Pillow, an array (H, W, 3), or a tensor (3, H, W): bytes in 0..255, or floats in 0..1. Leave out normalisation and
            augmentation: attseg does both. Labels are a picture of Pillow, an array or a tensor (H, W) of class numbers; 255 is
            ignored.
        classes: Names of the classes in the order of their numbers, or their table.
        split: What the split is called.

    Raises:
        UsageError: There are fewer than two classes, or the data set has no length.

    Example:
        >>> pairs = [(np.zeros((48, 64, 3), np.uint8), np.zeros((48, 64), np.uint8))]
        >>> data = WrappedData(pairs, ["road", "car"], "val")
        >>> len(data), data[0]
        (1, Sample('val/0', 48 x 64))
    """

    def __init__(self, dataset: Any, classes: ClassTable | Sequence[str], split: str = "train") -> None:
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            raise UsageError(
                f"the data set is a {type(dataset).__name__}; one with len() and items by index was expected"
            )
        if isinstance(classes, str) or len(classes) < 2:
            raise UsageError(f"classes are {classes!r}; two names or more were expected, such as ['road', 'car']")
        if not isinstance(classes, ClassTable):
            classes = ClassTable(tuple(classes), distinct_colors(len(classes)))
        self.dataset = dataset
        self.classes = classes
        self.split = split

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Sample:
        item = self.dataset[index]
        if isinstance(item, Sample):
            return item
        if not (isinstance(item, tuple | list) and len(item) == 2):
            raise DataError(f"{self.name(index)} is a {type(item).__name__}; a pair (image, labels) was expected")
        return Sample(_image(item[0], self.name(index)), _labels(item[1], self.name(index)), self.name(index))

    def name(self, index: int) -> str:
        """The name of a sample."""
        return f"{self.split}/{index}"


def as_data(data: Any, classes: ClassTable | Sequence[str] | None, split: str) -> SegmentationData:
    """A split as attseg takes it, of any data set.

    Args:
        data: A split of attseg's, which stays as it is, or what ``WrappedData`` takes.
        classes: Of a data set that does not say them itself.
        split: What a wrapped one is called.

    Raises:
        UsageError: The classes are not known, or there are two statements of them.
    """
    own = getattr(data, "classes", None)
    if isinstance(own, ClassTable) and hasattr(data, "split") and hasattr(data, "name"):
        if classes is not None:
            raise UsageError("this data set states its classes itself; leave out classes=")
        return data
    if classes is None:
        raise UsageError(
            f"{type(data).__name__} does not say its classes: give them in the order of their numbers, classes=['road', 'car']"
        )
    return WrappedData(data, classes, split)


def _image(image: Any, name: str) -> Array:
    """(H, W, C) bytes."""
    if isinstance(image, Image.Image):
        return np.array(image.convert("RGB"))
    tensor = isinstance(image, Tensor)
    values = np.asarray(image.detach().cpu().float() if tensor and image.is_floating_point() else image)
    if tensor and values.ndim == 3:
        if values.shape[2] == 3 != values.shape[0]:
            raise DataError(
                f"the image of {name} is a tensor {dimensions(values.shape)}, channels last; (3, H, W) was expected: "
                "image.permute(2, 0, 1)"
            )
        values = values.transpose(1, 2, 0)
    if values.dtype.kind != "f":
        return np.ascontiguousarray(values)  # checked by check_sample
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if not (low >= 0 and high <= 1):
        advice = (
            "divide by 255" if low >= 0 and high <= 255 else "leave out the normalisation, which attseg does itself"
        )
        raise DataError(
            f"the image of {name} has floats in {low:.3g}..{high:.3g}; bytes, or floats in 0..1 were expected: {advice}"
        )
    return np.ascontiguousarray((255 * values).round().astype(np.uint8))


def _labels(labels: Any, name: str) -> Array:
    """(H, W) bytes."""
    values = np.asarray(labels.detach().cpu() if isinstance(labels, Tensor) else labels)
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values.reshape(values.shape[1:] if values.shape[0] == 1 else values.shape[:2])
    if values.ndim != 2 or values.dtype.kind not in "iub":
        raise DataError(
            f"the labels of {name} are {values.dtype} {dimensions(values.shape)}; whole numbers (H, W) were expected"
            f"{': labels.astype(int), or labels.long()' if values.ndim == 2 else ''}"
        )
    if values.size and (values.min() < 0 or values.max() > 255):
        raise DataError(
            f"the labels of {name} are in {values.min()}..{values.max()}; classes from 0, and 255 where ignored, were expected"
            f"{': labels[labels < 0] = 255, if negative ones are ignored' if values.min() < 0 else ''}"
        )
    return np.ascontiguousarray(values.astype(np.uint8))
