"""What a run takes from the labels of the training split before it begins: they are read once, whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attseg.data.feeding.balance import Floats, class_balanced, count_labels
from attseg.data.sample import SegmentationData
from attseg.files import replacing, require_file
from attseg.recipes.recipe import Recipe
from attseg.training.class_weights import class_weights, read_class_weights, write_class_weights
from attseg.training.folder import RunFolder


@dataclass(frozen=True)
class FromLabels:
    """What was found.

    Args:
        class_weights: (K,) The factor of each class in the loss; None if all count alike.
        chances: (N,) How likely each picture is to be drawn; None if all are equally likely.
    """

    class_weights: Floats | None
    chances: Floats | None


def from_labels(
    recipe: Recipe, data: SegmentationData, folder: RunFolder, *, writes: bool, say: Callable[[str], None]
) -> FromLabels:
    """Find what a recipe wants to know: in the folder, if an earlier part of the run left it there, or else from the labels.

    Args:
        recipe: Its ``loss.class_weights`` and ``sampling`` decide what is wanted.
        data: The training split.
        folder: Where it is kept for a later part of the run.
        writes: Whether this process is the one that writes.
        say: Is told that labels are read, which may take minutes.
    """
    weights = read_class_weights(folder.class_weights) if folder.class_weights.exists() else None
    chances = np.load(require_file(folder.chances)) if folder.chances.exists() else None
    wants_weights = recipe.loss.class_weights != "none" and weights is None
    wants_chances = recipe.sampling != "shuffled" and chances is None
    if wants_weights or wants_chances:
        say(f"counting the pixels of each class in {len(data)} label files")
        counts = count_labels(data)
        if wants_weights:
            weights = class_weights(recipe.loss.class_weights, counts)
        if wants_chances:
            chances = class_balanced(counts)
    if wants_weights and writes and weights is not None:
        write_class_weights(folder.class_weights, data.classes.names, weights)
    if wants_chances and writes and chances is not None:
        with replacing(folder.chances) as file:
            np.save(file, chances)
    return FromLabels(weights, chances)
