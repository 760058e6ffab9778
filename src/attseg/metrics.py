"""The mIoU of the papers: one confusion matrix of integers over a whole data set, and what follows from it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Maps = Tensor | npt.NDArray[np.integer]

_AT_ONCE = 1 << 18
"""Pixels that are counted at a time, few enough to stay in the processor's cache."""


class ConfusionMatrix:
    """Counts how often each class is predicted as each class, over any number of pictures.

    Classes that occur neither in the labels nor in the predictions have no IoU and are left out of every mean.

    Args:
        num_classes: Classes K.
        ignore_index: Label of pixels that do not count.

    Raises:
        ValueError: ``num_classes`` below 1, or an ``ignore_index`` that is a class.

    Example:
        >>> confusion = ConfusionMatrix(2)
        >>> confusion.update(torch.tensor([[0, 1], [1, 1]]), torch.tensor([[0, 0], [1, 255]]))
        >>> confusion.counts.tolist(), confusion.miou
        ([[1, 1], [0, 1]], 0.5)
    """

    def __init__(self, num_classes: int, ignore_index: int = 255) -> None:
        if num_classes < 1:
            raise ValueError(f"num_classes is {num_classes}; at least 1 was expected")
        if 0 <= ignore_index < num_classes:
            raise ValueError(f"ignore_index is {ignore_index}, which is one of the classes 0..{num_classes - 1}")
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        """(K, K) Pixels by label (rows) and prediction (columns)."""

    def __repr__(self) -> str:
        return f"ConfusionMatrix({self.num_classes} classes, {int(self.counts.sum())} pixels, mIoU {self.miou:.4f})"

    def update(self, predictions: Maps, labels: Maps) -> None:
        """Count the pixels of one picture or of a batch.

        Args:
            predictions: Classes 0..K-1, integers of any shape, on any device. What they are where the label is ignored does not
                matter.
            labels: Classes 0..K-1 or ``ignore_index``, of the same shape.

        Raises:
            ValueError: Shapes differ, values are no integers, or there is a value that is no class.
        """
        predictions, labels = torch.as_tensor(predictions), torch.as_tensor(labels)
        if predictions.shape != labels.shape:
            raise ValueError(
                f"predictions have the shape {tuple(predictions.shape)} and labels {tuple(labels.shape)}; both must be equal"
            )
        for what, values in (("predictions", predictions), ("labels", labels)):
            if values.is_floating_point() or values.is_complex():
                raise ValueError(f"{what} are {values.dtype}; integers were expected (take argmax(1) of logits)")
        if 0 <= self.ignore_index <= 255 and _are_bytes(predictions) and _are_bytes(labels):
            self.counts += self._count_bytes(predictions.byte(), labels.byte())
        else:
            self.counts += self._count(predictions.long(), labels.long())

    def _count_bytes(self, predictions: Tensor, labels: Tensor) -> Tensor:
        """The counts from one histogram over (label, prediction) as 16 bits, which also shows every wrong value."""
        histogram = torch.zeros(1 << 16, dtype=torch.int64, device=predictions.device)
        for predicted, labelled in zip(
            predictions.flatten().split(_AT_ONCE), labels.flatten().split(_AT_ONCE), strict=True
        ):
            histogram += torch.bincount(labelled.int().mul_(256).add_(predicted), minlength=1 << 16)
        histogram = histogram.cpu().view(256, 256)
        histogram[self.ignore_index] = 0
        k = self.num_classes
        self._refuse("label", histogram[k:].sum(1), k)
        self._refuse("prediction", histogram[:, k:].sum(0), k)
        return histogram[:k, :k]

    def _count(self, predictions: Tensor, labels: Tensor) -> Tensor:
        """The counts for integers of any kind."""
        valid = labels != self.ignore_index
        predictions, labels, k = predictions[valid], labels[valid].to(predictions.device), self.num_classes
        for what, values in (("label", labels), ("prediction", predictions)):
            wrong = values[(values < 0) | (values >= k)]
            if len(wrong):
                found = wrong.unique()[:5].tolist()
                raise ValueError(self._wrong(what, found, len(wrong)))
        return torch.bincount(labels * k + predictions, minlength=k * k).view(k, k).cpu()

    def _refuse(self, what: str, beyond: Tensor, first: int) -> None:
        if int(beyond.sum()):
            found = (beyond.nonzero().flatten()[:5] + first).tolist()
            raise ValueError(self._wrong(what, found, int(beyond.sum())))

    def _wrong(self, what: str, found: list[int], pixels: int) -> str:
        return (
            f"{pixels} pixels have a {what} that is no class: {', '.join(map(str, found))}; 0..{self.num_classes - 1} were "
            f"expected, or {self.ignore_index} in labels for pixels that do not count"
        )

    @property
    def iou(self) -> Tensor:
        """(K,) Intersection over union of each class, in [0, 1]; nan for absent classes."""
        return torch.from_numpy(iou(self.counts.numpy()))

    @property
    def miou(self) -> float:
        """Mean of ``iou`` over the classes that occur; nan if none does."""
        return mean_present(iou(self.counts.numpy()))

    @property
    def pixel_accuracy(self) -> float:
        """Share of the pixels whose class is right."""
        return pixel_accuracy(self.counts.numpy())

    @property
    def mean_accuracy(self) -> float:
        """Share of right pixels of each class in the labels, averaged over these classes."""
        return mean_present(class_accuracy(self.counts.numpy()))

    @property
    def frequency_weighted_iou(self) -> float:
        """Mean of ``iou`` weighted with how often each class occurs in the labels."""
        return frequency_weighted_iou(self.counts.numpy())


def _are_bytes(values: Tensor) -> bool:
    """Whether all values fit into a byte; finding out is much cheaper than counting integers."""
    if values.dtype in (torch.uint8, torch.bool) or not values.numel():
        return True
    low, high = values.aminmax()
    return bool(low >= 0) and bool(high <= 255)


Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def iou(counts: Counts) -> Floats:
    """(K,) Intersection over union from counts (K, K); nan where a class is neither labelled nor predicted."""
    hits = counts.diagonal()
    return _divide(hits, counts.sum(0) + counts.sum(1) - hits)


def class_accuracy(counts: Counts) -> Floats:
    """(K,) Share of each class's labelled pixels that were found; nan for classes without any."""
    return _divide(counts.diagonal(), counts.sum(1))


def precision(counts: Counts) -> Floats:
    """(K,) Share of the pixels predicted as a class that are of it; nan for classes that are never predicted."""
    return _divide(counts.diagonal(), counts.sum(0))


def f1(counts: Counts) -> Floats:
    """(K,) Harmonic mean of precision and recall, the Dice score; nan where a class is neither labelled nor predicted."""
    return _divide(2 * counts.diagonal(), counts.sum(0) + counts.sum(1))


def pixel_accuracy(counts: Counts) -> float:
    """Share of right pixels; nan if there are none."""
    return float(_divide(counts.trace(), counts.sum()))


def frequency_weighted_iou(counts: Counts) -> float:
    """IoU weighted with the labelled pixels of each class; nan if there are none."""
    frequency = counts.sum(1)
    present = frequency > 0
    return float((frequency[present] * iou(counts)[present]).sum() / frequency.sum()) if present.any() else float("nan")


def mean_present(values: Floats) -> float:
    """Mean of the values that are not nan; nan if there is none."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if len(present) else float("nan")


def _divide(parts: Counts | np.int64, whole: Counts | np.int64) -> Floats:
    whole = np.asarray(whole, np.float64)
    return np.divide(parts, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def none_if_nan(value: float) -> float | None:
    """The value, or None for NaN, which JSON does not have.

    Example:
        >>> none_if_nan(0.5), none_if_nan(math.nan)
        (0.5, None)
    """
    return None if math.isnan(value) else value


def as_percent(share: float | None, *, signed: bool = False, digits: int = 2) -> str:
    """A share in percent, as text; a hyphen where there is none.

    Example:
        >>> as_percent(0.5), as_percent(math.nan), as_percent(0.01, signed=True, digits=1)
        ('50.00', '-', '+1.0')
    """
    return "-" if share is None or math.isnan(share) else f"{100 * share:{'+' * signed}.{digits}f}"
