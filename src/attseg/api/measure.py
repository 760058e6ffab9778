"""``attseg.evaluate``: any model on any split."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from attseg import console
from attseg.data.catalog import CATALOG
from attseg.data.classes import ClassTable
from attseg.data.preprocessing import Preprocessing
from attseg.data.sample import SegmentationData
from attseg.data.wrapped import as_data
from attseg.errors import UsageError
from attseg.evaluation.report import Report
from attseg.evaluation.run import evaluate as count
from attseg.evaluation.run_data import check_classes, open_own, recipe_of
from attseg.inference.segmenter import Segmenter, load
from attseg.prediction.protocol import Protocol
from attseg.prediction.protocols import SINGLE


def evaluate(
    model: str | Path | Segmenter | nn.Module,
    data: Any = None,
    *,
    classes: ClassTable | Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    split: str | None = None,
    protocol: Protocol = SINGLE,
    device: str = "auto",
    workers: int = 0,
    progress: bool = True,
) -> Report:
    """Measure a model: mIoU, IoU of each class, and accuracy over a split, from one confusion matrix.

    Args:
        model: What ``attseg.load`` takes or gives; or any module that gives logits (N, K, H, W): as a tensor, as ``.logits``, or
            in a mapping under ``logits`` or ``out``, or as the first item of a tuple. A module is evaluated in evaluation mode,
            and left in the mode that it was in.
        data: A split (``attseg.open_data``), or a data set with pairs (image, labels), such as a ``torch.utils.data.Dataset``.
            None takes the data that the model was trained on.
        classes: Names of the classes of a data set that does not say them, in the order of their numbers.
        preprocessing: What the inputs of a bare module go through: by default its encoder's mean and standard deviation, or
            ImageNet's where it says none.
        split: Of the data that the model was trained on; by default the one that it was validated on.
        protocol: How each picture is seen: ``Protocol(window=512, flip=True)``.
        device: Of a source to load, and of a module, which is moved there; ``auto`` leaves a module where it is. A ``Segmenter``
            stays where it is.
        workers: Processes that read images.
        progress: Whether a bar is shown.

    Returns:
        The report: ``report.miou``, ``report.per_class``, ``report.to_dict()``.

    Raises:
        UsageError: The classes differ, the model gives no logits, or the data are not known.
        DataError: A sample cannot be read.

    Example:
        >>> from attseg import open_data
        >>> report = evaluate("demo", open_data("scenes", "val", count=2), device="cpu", progress=False)
        >>> report.pictures
        2
    """
    network = model if isinstance(model, Segmenter | nn.Module) else load(model, device=device)
    if data is None:
        found = _own_data(network, split)
    elif split is not None:
        raise UsageError(f"split is {split!r}, and data were given, which are a split already; leave one of them out")
    else:
        found = as_data(data, classes, "val")
    if isinstance(network, Segmenter):
        if preprocessing is not None:
            raise UsageError("a Segmenter has its own preprocessing; leave out preprocessing=, or give its .model")
        check_classes(network.classes, found.classes, "the model")
    else:
        training = network.training
        network = Segmenter(
            network, found.classes, preprocessing or Preprocessing.of(network), device=_device(network, device)
        )
        network.model.train(training)
    shown = console.TerminalConsole(quiet=not progress)
    with console.progress("evaluating", total=len(found), console=shown) as on_picture:
        report = count(
            network.model,
            found,
            network.preprocessing,
            protocol=protocol,
            device=network.device,
            workers=workers,
            on_picture=lambda done, *_: on_picture(done, len(found)),
        )
    labelled = report.counts.sum(1)
    if len(labelled) == 2 and labelled[0] and not labelled[1] and report.ignored:
        warnings.warn(
            f"no pixel is labelled {found.classes.names[1]!r} and {report.ignored:,} are ignored: if the labels are masks "
            "of 0 and 255, divide them by 255, since 255 means ignored",
            stacklevel=2,
        )
    return report


def _device(network: nn.Module, device: str) -> str:
    """Where a module is, unless it is to be moved."""
    weights = next(network.parameters(), None)
    return device if device != "auto" or weights is None else str(weights.device)


def _own_data(network: Segmenter | nn.Module, split: str | None) -> SegmentationData:
    """The split of the data that a model was trained on."""
    origin = network.origin if isinstance(network, Segmenter) else None
    recipe = recipe_of(origin.info) if origin else None
    if origin is None or origin.file is None or recipe is None:
        raise UsageError(
            "this model does not say which data it was trained on: give data, such as "
            "attseg.open_data('camvid', 'val', root=DIR)"
        )
    if CATALOG[recipe.data.name].files and recipe.data.root is None:
        raise UsageError("this model was trained on data sets of your own, which its file cannot name: give data")
    return open_own(origin.info, origin.file, {}, split)[1]
