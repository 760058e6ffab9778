"""The splits of a run, and what is worth knowing about them before it begins."""

from __future__ import annotations

from pathlib import Path

from attseg.data.catalog import open_data
from attseg.data.checking.first_look import first_look
from attseg.data.sample import DataError, SegmentationData, channels_of
from attseg.data.sets.file_data import FileData
from attseg.data.sets.kept_splits import with_kept_splits
from attseg.recipes.recipe import DataSpec, Recipe
from attseg.runs.channels import explain_colors


def open_splits(spec: DataSpec, kept: Path | None) -> tuple[SegmentationData, SegmentationData]:
    """The splits to train and to evaluate on.

    Args:
        spec: The data set.
        kept: Where a resumed run has kept the split of each picture; None for a new run.

    Raises:
        DataError: They cannot be used.
    """
    options = spec.options if kept is None else with_kept_splits(spec.name, spec.options, kept)
    data, val = (open_data(spec.name, split, root=spec.root, **options) for split in (spec.train, spec.val))
    return data, val


def check_splits(data: SegmentationData, val: SegmentationData) -> None:
    """Refuse splits to train and to evaluate on that do not fit each other.

    Raises:
        DataError: Channels or classes differ, or there is nothing to evaluate on.
    """
    if channels_of(data) != channels_of(val):
        raise DataError(f"the splits {data.split!r} and {val.split!r} differ in their channels")
    if data.classes != val.classes:
        raise DataError(f"the splits {data.split!r} and {val.split!r} differ in their classes")
    if len(val) == 0:
        raise DataError(f"the split {val.split!r} has no picture to evaluate on")


def remarks(recipe: Recipe, data: SegmentationData, val: SegmentationData) -> list[str]:
    """Colours that are left alone, how a folder of one's own was divided and where its classes stand, and odd images."""
    colors = explain_colors(recipe, data)
    told = [] if colors is None else [colors]
    for split in (data, val):
        if isinstance(split, FileData) and not split.files.record.official:
            told += split.remarks
    if isinstance(data, FileData) and isinstance(val, FileData):
        shared = {pair.image for pair in data.pairs} & {pair.image for pair in val.pairs}
        if shared:
            told.append(
                f"{len(shared):,} of {len(val):,} pictures of {val.split} are trained on ({data.split}): scores on it "
                "will be too high, and the weights of the best step mean little; use those of the last step"
            )
    return [*dict.fromkeys(told), *first_look(data, recipe.crop_size)]
