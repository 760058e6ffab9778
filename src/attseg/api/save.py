"""``attseg.save``: weights of a training loop of one's own, as ``attseg.load`` takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from attseg.checkpoint import WeightsError, architecture, check_fit, save_weights
from attseg.converters.networks import build_network
from attseg.data.classes import ClassTable, distinct_colors
from attseg.data.preprocessing import Preprocessing
from attseg.errors import UsageError
from attseg.inference.segmenter import Segmenter
from attseg.models import MODELS
from attseg.models.arguments import KeepsArguments, arguments_of
from attseg.recipes.recipe import ModelSpec
from attseg.recipes.values import from_values

SUFFIX = ".safetensors"


def save(
    model: nn.Module | Segmenter,
    path: str | Path,
    *,
    classes: ClassTable | Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    info: Mapping[str, Any] | None = None,
) -> Path:
    """Write a model to one file that ``attseg.load``, and every verb of the command line, takes.

    Args:
        model: A model of attseg, on any device, however it was trained, also within ``DistributedDataParallel`` or compiled; or a
            ``Segmenter``.
        path: The file, ``NAME.safetensors``; an existing one is replaced.
        classes: Names of the classes in the order of their numbers, or their table.
        preprocessing: What its inputs went through in training; by default the mean and standard deviation of its encoder.
        info: Plain values to keep with it, such as ``{"epoch": 3}``.

    Returns:
        The file.

    Raises:
        UsageError: It is no model of attseg, was built of modules that a file cannot name, or classes are missing.
        WeightsError: There are NaN or infinite weights.

    Example:
        >>> import tempfile
        >>> from attseg import PAN, load
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = save(PAN(2, encoder="test_resnet", channels=8), f"{folder}/mine.safetensors", classes=["road", "car"])
        ...     load(file, device="cpu").classes.names
        ('road', 'car')
    """
    if isinstance(model, str | Path):
        raise UsageError(
            "the model comes first, as in torch.save: attseg.save(model, 'mine.safetensors', classes=[..])"
        )
    path = Path(path)
    if path.suffix != SUFFIX:
        raise UsageError(f"the file is {path}; a name that ends in {SUFFIX} was expected")
    kept = dict(info or {})
    if isinstance(model, Segmenter):
        kept = dict(model.origin.info if model.origin else {}) | kept
        classes, preprocessing = classes or model.classes, preprocessing or model.preprocessing
        spec = model.origin.model if model.origin else None
        network = model.model
    else:
        network, spec = _unwrapped(model), None
    args = dict(spec.args) if spec else _arguments(network)
    name = spec.name if spec else type(network).__name__
    count = args.pop("num_classes", None)
    if classes is None:
        raise UsageError("the classes are missing: name them in the order of their numbers, classes=['road', 'car']")
    table = classes if isinstance(classes, ClassTable) else ClassTable(tuple(classes), distinct_colors(len(classes)))
    if count not in (None, len(table)):
        raise UsageError(f"the model has {count} classes, and {len(table)} were named")
    state = network.state_dict()
    with torch.device("meta"):
        built = build_network(name, architecture(args), len(table), stored=True)
    try:
        check_fit(built, state)
    except WeightsError as error:
        raise UsageError(
            f"this {name} was changed after it was built, and attseg.load builds it as it was: {error}"
        ) from error
    save_weights(
        path,
        state,
        model=from_values(ModelSpec, {"name": name, "args": args}),
        classes=table,
        preprocessing=preprocessing or Preprocessing.of(network),
        info=kept,
    )
    return path


def _unwrapped(model: nn.Module) -> nn.Module:
    """The network within ``DistributedDataParallel`` and ``torch.compile``."""
    while True:
        inner = getattr(model, "module", None) or getattr(model, "_orig_mod", None)
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def _arguments(model: nn.Module) -> dict[str, Any]:
    """What a model was built with, if a file can hold it."""
    name = type(model).__name__
    if not isinstance(model, KeepsArguments) or name not in MODELS:
        raise UsageError(
            f"{name} is no model of attseg, and a file would not say how to build it. Keep its weights with "
            "torch.save(model.state_dict(), FILE); to use it, wrap it: attseg.Segmenter(model, classes, preprocessing)"
        )
    args = architecture(arguments_of(model))
    try:
        json.dumps(args)
    except TypeError:
        modules = [key for key, value in args.items() if isinstance(value, nn.Module)] or ["an argument"]
        raise UsageError(
            f"this {name} was built of a module of your own ({', '.join(modules)}), which a file cannot name. Keep its weights "
            "with torch.save(model.state_dict(), FILE); to use it, wrap it: attseg.Segmenter(model, classes, preprocessing)"
        ) from None
    return args
