"""Effects of a data set's bands on training: channels of the network, normalisation, and augmentation."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from attseg.data.checking.recognise import arguments
from attseg.data.feeding.transforms import TrainTransform
from attseg.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from attseg.data.reading.bands import Bands, band_options
from attseg.data.sample import SegmentationData, channels_of
from attseg.data.sets.file_data import FileData
from attseg.errors import UsageError
from attseg.recipes.recipe import Recipe


def with_channels(recipe: Recipe, data: SegmentationData) -> Recipe:
    """A recipe whose network takes the channels of a data set, as the data set decides them.

    Raises:
        UsageError: The recipe states another number, the bands have no statistics, or a network at several image scales states
            other channels for its base.
    """
    channels = channels_of(data)
    args = recipe.model.args
    stated = args.get("in_channels")
    if stated is None and isinstance(base := args.get("base_args"), Mapping):
        stated = base.get("in_channels")
    if stated is not None and stated != channels:
        raise UsageError(
            f"the network takes {stated} channels (model.args.in_channels), and the data set gives {channels}: leave the "
            "argument out, or choose as many bands (--data.options.bands)"
        )
    if isinstance(data, FileData) and data.files.bands is not None:
        _require_statistics(data, recipe)
    if channels == 3:
        return recipe
    return replace(recipe, model=replace(recipe.model, args={**args, "in_channels": channels}))


def _require_statistics(data: FileData, recipe: Recipe) -> None:
    files = data.files
    if files.bands is None or files.statistics is not None or recipe.init is not None:
        return
    others = {name: v for name, v in recipe.data.options.items() if name not in ("bands", "range", "mean", "std")}
    options = f"{band_options(files.bands.numbers, files.value_range)} {arguments(others)}".rstrip()
    raise UsageError(
        f"the mean and standard deviation of the bands {files.bands} are not stated, and no pretraining knows them; measure them "
        f"with: attseg data check {shlex.quote(str(files.root))} {options}. It prints the options to train with"
    )


def preprocessing_of(options: Mapping[str, Any]) -> Preprocessing | None:
    """The preprocessing that the options of a data set state as a whole; None where they state no statistics."""
    if options.get("bands") is None or options.get("mean") is None or options.get("std") is None:
        return None
    return Preprocessing(IMAGENET_MEAN, IMAGENET_STD).stated(options)


def train_transform(recipe: Recipe, bands: Bands | None) -> TrainTransform:
    """The augmentation of a recipe; colours are left alone where the bands are others than red, green and blue."""
    augment: dict[str, Any] = dict(vars(recipe.augment))
    if bands is not None:
        augment |= {"color": 0.0, "fill": bands.fill}
    return TrainTransform(recipe.crop_size, **augment)


def explain_colors(recipe: Recipe, data: SegmentationData) -> str | None:
    """A sentence where a recipe changes colours and the data set has none."""
    has_bands = isinstance(data, FileData) and data.files.bands is not None
    if not recipe.augment.color or not (has_bands or channels_of(data) != 3):
        return None
    return f"augment.color {recipe.augment.color:g} is not applied: it changes red, green and blue, and these are chosen bands"
