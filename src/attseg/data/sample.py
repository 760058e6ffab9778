"""A sample, which every data set yields: one image with its labels; and its validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from attseg.data.classes import IGNORE, ClassTable
from attseg.text import dimensions

Array = npt.NDArray[np.uint8]


class DataError(ValueError):
    """A data set, or one of its files, is not as it must be; the message says which, how, and what to do."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture, its labels and its name, as read: before any transform.

    Args:
        image: (H, W, 3) red, green, blue in 0..255; (H, W, C) where other bands are read.
        labels: (H, W) classes 0..K-1, and 255 where ignored.
        name: What identifies the sample in its data set, with ``/`` between folders and without a suffix.
        probes: Boolean (H, W) masks by name, of the pixels that test one difficulty; only generated data has them.
    """

    image: Array
    labels: Array
    name: str
    probes: Mapping[str, npt.NDArray[np.bool_]] | None = None

    def __repr__(self) -> str:
        return f"Sample({self.name!r}, {dimensions(self.image.shape[:2])})"


class SegmentationData(Protocol):
    """A split of a data set: samples by index, and the table of their classes.

    A class of your own needs these five members and no base class; images of other than three channels want a sixth,
    ``channels``. Reading is a pure function of the index, so that any number of
    worker processes sees the same samples. Training and evaluation check each sample that is read (``check_sample``).
    """

    classes: ClassTable
    split: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def name(self, index: int) -> str:
        """The name of a sample without reading it."""
        ...


class First:
    """The first ``count`` samples of a split, or all where there are fewer.

    Example:
        >>> from attseg.data.sets.scenes import Scenes
        >>> few = First(Scenes("val", size=(64, 64), count=9), 2)
        >>> len(few), few.name(1)
        (2, 'val/00001')
    """

    def __init__(self, data: SegmentationData, count: int) -> None:
        self.data, self.classes, self.split = data, data.classes, data.split
        self.count = min(count, len(data))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        return self.data[index]

    def name(self, index: int) -> str:
        """The name of a sample without reading it."""
        return self.data.name(index)


def check_sample(sample: Any, num_classes: int, name: str, *, channels: int = 3) -> Sample:
    """Refuse a sample that would be misread: of another dtype, layout or size, or with labels that are no class.

    It costs two passes over the labels, about 0.4 ms a megapixel.

    Args:
        sample: What a data set returned.
        num_classes: Classes K of the data set.
        name: What the message calls the sample.
        channels: Channels of the image.

    Returns:
        The sample itself.

    Raises:
        DataError: The message says what was found, what was expected, and usually the expression that converts it.

    Example:
        >>> labels = np.zeros((4, 6), np.uint8)
        >>> check_sample(Sample(np.zeros((4, 6, 3), np.uint8), labels, "a"), 2, "a").name
        'a'
        >>> check_sample(Sample(np.zeros((4, 6, 3)), labels, "a"), 2, "a")
        Traceback (most recent call last):
        attseg.data.sample.DataError: sample 'a': the image is float64 in 0..0; uint8 in 0..255 was expected
    """
    if not isinstance(sample, Sample):
        problem = f"the data set returned a {type(sample).__name__}; a Sample(image, labels, name) was expected"
    else:
        problem = _explain_image(sample.image, channels) or _explain_labels(
            sample.labels, sample.image.shape[:2], num_classes
        )
        for probe, mask in (sample.probes or {}).items():
            if not problem and (mask.dtype != np.bool_ or mask.shape != sample.labels.shape):
                of = dimensions(mask.shape)
                problem = f"the probe {probe!r} is {mask.dtype} {of}; bool of the size of the labels was expected"
    if problem:
        raise DataError(f"sample {name!r}: {problem}")
    assert isinstance(sample, Sample)
    return sample


def channels_of(data: SegmentationData) -> int:
    """Channels of the images of a split: its attribute ``channels``, and three where it has none."""
    return int(getattr(data, "channels", 3))


def _explain_image(image: Any, channels: int) -> str:
    """The problem with an image; empty if it is uint8 of (H, W, channels)."""
    if channels != 3 and isinstance(image, np.ndarray) and (image.ndim != 3 or image.shape[2] != channels):
        return f"the image is {dimensions(image.shape)}; (H, W, {channels}) was expected, the channels of the data set"
    if not isinstance(image, np.ndarray):
        return (
            f"the image is a {type(image).__name__}; a NumPy array (H, W, 3) of uint8 was expected: np.asarray(image)"
        )
    shape = dimensions(image.shape)
    if image.ndim == 3 and image.shape[0] == 3 and image.shape[2] not in (3, channels):
        return f"the image is {shape}, channels first; (H, W, 3) was expected: image.transpose(1, 2, 0)"
    if image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1 != channels):
        return f"the image is {shape}, one channel; (H, W, 3) was expected: np.repeat(image.reshape(*image.shape[:2], 1), 3, 2)"
    if image.ndim != 3 or image.shape[2] != channels:
        return f"the image is {shape}; (H, W, 3), red, green, blue, was expected"
    if image.dtype != np.uint8:
        return f"the image is {_range(image)}; uint8 in 0..255 was expected{_rescaling(image)}"
    return "" if image.size else f"the image is {shape}, without a pixel"


def _explain_labels(labels: Any, size: tuple[int, ...], num_classes: int) -> str:
    """The problem with labels; empty if they are (H, W) uint8 of the image's size, with classes or 255."""
    if not isinstance(labels, np.ndarray):
        return (
            f"the labels are a {type(labels).__name__}; a NumPy array (H, W) of uint8 was expected: np.asarray(labels)"
        )
    shape = dimensions(labels.shape)
    if labels.ndim == 3:
        if 1 in (labels.shape[0], labels.shape[2]):
            return f"the labels are {shape}; (H, W) was expected: labels.reshape{size}"
        if num_classes in (labels.shape[0], labels.shape[2]):
            axis = 0 if labels.shape[0] == num_classes else 2
            return (
                f"the labels are {shape}, one-hot; (H, W) classes were expected: labels.argmax({axis}).astype(np.uint8)"
            )
    if labels.ndim != 2:
        return f"the labels are {shape}; (H, W), one class a pixel, was expected"
    if labels.dtype != np.uint8:
        return (
            f"the labels are {_range(labels)}; uint8 was expected, classes 0..{num_classes - 1}, and {IGNORE} where ignored"
            f"{_as_bytes(labels)}"
        )
    if labels.shape != size:
        height, width = size
        turned = "; they look transposed: labels.T" if labels.shape == (width, height) else ""
        advice = turned or "; scale the labels without blending them, or label the image anew"
        return f"the image is {height} x {width} pixels (height x width), but its labels are {shape}{advice}"
    if (labels + np.uint8(1)).max(initial=0) > num_classes:  # 255 becomes 0
        wrong = np.bincount(labels.ravel(), minlength=256)
        wrong[:num_classes] = wrong[IGNORE] = 0
        values = np.flatnonzero(wrong)
        listed = ", ".join(map(str, values[:8])) + (" and others" if len(values) > 8 else "")
        return (
            f"{wrong.sum()} pixels have a label that is no class: {listed}; 0..{num_classes - 1} were expected, and {IGNORE} "
            "where ignored"
        )
    return ""


def _range(values: npt.NDArray[Any]) -> str:
    """The dtype of an array, and what lies in it."""
    if values.dtype.kind not in "biuf" or not values.size:
        return str(values.dtype)
    return f"{values.dtype} in {values.min():.3g}..{values.max():.3g}"


def _rescaling(image: npt.NDArray[Any]) -> str:
    """How an image becomes bytes, where its values tell."""
    if image.dtype.kind == "f" and image.size and image.min() >= 0 and 0 < image.max() <= 1:
        return ": (255 * image).round().astype(np.uint8)"
    if image.dtype.kind in "iuf" and image.size and image.min() >= 0 and 1 < image.max() <= 255:
        return ": image.round().astype(np.uint8)" if image.dtype.kind == "f" else ": image.astype(np.uint8)"
    return ""


def _as_bytes(labels: npt.NDArray[Any]) -> str:
    """How labels become bytes, where their values tell."""
    if labels.dtype.kind not in "biu" or not labels.size or labels.max() > 255:
        return ""
    return (
        ": labels.astype(np.uint8)"
        if labels.min() >= 0
        else f": np.where(labels < 0, {IGNORE}, labels).astype(np.uint8), if negative ones are ignored"
    )
